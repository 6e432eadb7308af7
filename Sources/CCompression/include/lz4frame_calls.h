#pragma once
#include <stddef.h>

// What is called of liblz4's frame API, as its documentation states it (stable since 1.8):
// https://github.com/lz4/lz4/blob/dev/doc/lz4frame_manual.html

enum { LZ4F_VERSION_CALLED = 100, LZ4F_BLOCK_4_MIB = 7 };

typedef struct {
  int blockSizeID;
  int blockMode; // 0: blocks refer to the ones before
  int contentChecksumFlag;
  int frameType;
  unsigned long long contentSize;
  unsigned dictID;
  int blockChecksumFlag;
} LZ4F_frameInfo_t;

typedef struct {
  LZ4F_frameInfo_t frameInfo;
  int compressionLevel;
  unsigned autoFlush;
  unsigned favorDecSpeed;
  unsigned reserved[3];
} LZ4F_preferences_t;

typedef struct {
  unsigned stableDst; // the output stays where it was written: earlier blocks are read from there
  unsigned skipChecksums;
  unsigned reserved1;
  unsigned reserved0;
} LZ4F_decompressOptions_t;

typedef struct LZ4F_dctx_s LZ4F_dctx;

unsigned LZ4F_isError(size_t code);
const char *LZ4F_getErrorName(size_t code);

size_t LZ4F_compressFrameBound(size_t srcSize, const LZ4F_preferences_t *preferencesPtr);
size_t LZ4F_compressFrame(void *dstBuffer, size_t dstCapacity, const void *srcBuffer, size_t srcSize,
                          const LZ4F_preferences_t *preferencesPtr);

size_t LZ4F_createDecompressionContext(LZ4F_dctx **dctxPtr, unsigned version);
size_t LZ4F_freeDecompressionContext(LZ4F_dctx *dctx);
void LZ4F_resetDecompressionContext(LZ4F_dctx *dctx);
size_t LZ4F_decompress(LZ4F_dctx *dctx, void *dstBuffer, size_t *dstSizePtr, const void *srcBuffer, size_t *srcSizePtr,
                       const LZ4F_decompressOptions_t *dOptPtr);
