#pragma once
#include <stddef.h>
#include <stdint.h>

// The part of CPython's stable ABI (3.11) that the module calls, declared by hand:
// https://docs.python.org/3.11/c-api/stable.html
// What may be NULL says so: NULL in place of an object means that Python's error indicator is set.

#pragma clang assume_nonnull begin

typedef intptr_t Py_ssize_t;
typedef struct _typeobject PyTypeObject;
typedef struct _object {
  Py_ssize_t ob_refcnt;
  PyTypeObject *_Nullable ob_type;
} PyObject;

// Objects

void Py_IncRef(PyObject *_Nullable);
void Py_DecRef(PyObject *_Nullable);
unsigned long PyType_GetFlags(PyTypeObject *);
PyObject *_Nullable PyType_GetName(PyTypeObject *);
extern PyObject _Py_NoneStruct, _Py_TrueStruct, _Py_FalseStruct;

// Borrowed: Swift cannot take the address of a C global.
static inline PyObject *borrowedNone(void) { return &_Py_NoneStruct; }
static inline PyObject *borrowedTrue(void) { return &_Py_TrueStruct; }
static inline PyObject *borrowedFalse(void) { return &_Py_FalseStruct; }

// Numbers

PyObject *_Nullable PyNumber_Index(PyObject *);
PyObject *_Nullable PyLong_FromLongLong(long long);
PyObject *_Nullable PyLong_FromUnsignedLongLong(unsigned long long);
long long PyLong_AsLongLongAndOverflow(PyObject *, int *overflow);
PyObject *_Nullable PyFloat_FromDouble(double);
double PyFloat_AsDouble(PyObject *);

// Text and bytes

const char *_Nullable PyUnicode_AsUTF8AndSize(PyObject *, Py_ssize_t *byteCount);
PyObject *_Nullable PyUnicode_DecodeUTF8(const char *_Nullable, Py_ssize_t byteCount, const char *errors);
PyObject *_Nullable PyBytes_FromStringAndSize(const char *_Nullable, Py_ssize_t byteCount);
int PyBytes_AsStringAndSize(PyObject *, char *_Nullable *_Nonnull bytes, Py_ssize_t *byteCount);

// Containers

PyObject *_Nullable PySequence_Tuple(PyObject *);
Py_ssize_t PyTuple_Size(PyObject *);
PyObject *_Nullable PyTuple_GetItem(PyObject *, Py_ssize_t);
PyObject *_Nullable PyList_New(Py_ssize_t);
int PyList_SetItem(PyObject *, Py_ssize_t, PyObject *);
PyObject *_Nullable PyDict_New(void);
int PyDict_SetItem(PyObject *, PyObject *key, PyObject *value);
int PyMapping_Check(PyObject *);
PyObject *_Nullable PyMapping_Items(PyObject *);

PyObject *_Nullable PyObject_CallObject(PyObject *, PyObject *_Nullable arguments);

// Capsules

typedef void (*PyCapsule_Destructor)(PyObject *_Nullable);
PyObject *_Nullable PyCapsule_New(void *, const char *name, PyCapsule_Destructor _Nullable);
int PyCapsule_IsValid(PyObject *, const char *name);
void *_Nullable PyCapsule_GetPointer(PyObject *, const char *name);

// Errors and signals

extern PyObject *const PyExc_KeyboardInterrupt;
extern PyObject *const PyExc_RuntimeError;
extern PyObject *const PyExc_TypeError;
extern PyObject *const PyExc_ValueError;
void PyErr_SetObject(PyObject *type, PyObject *value);
void PyErr_SetNone(PyObject *type);
PyObject *_Nullable PyErr_NoMemory(void);
PyObject *_Nullable PyErr_Occurred(void);
int PyErr_ExceptionMatches(PyObject *);
void PyErr_Clear(void);
void PyErr_Fetch(PyObject *_Nullable *_Nonnull type, PyObject *_Nullable *_Nonnull value, PyObject *_Nullable *_Nonnull traceback);
void PyErr_Restore(PyObject *_Nullable type, PyObject *_Nullable value, PyObject *_Nullable traceback);
int PyErr_CheckSignals(void);
int Py_MakePendingCalls(void);
int Py_AddPendingCall(int (*call)(void *_Nullable), void *_Nullable argument);
unsigned long PyThread_get_thread_native_id(void);

// The interpreter and its lock

int Py_IsInitialized(void);
void *_Nullable PyEval_SaveThread(void);
void PyEval_RestoreThread(void *_Nullable);
int PyGILState_Ensure(void);
void PyGILState_Release(int);

// The module

typedef PyObject *_Nullable (*PyCFunction)(PyObject *_Nullable, PyObject *_Nullable);
typedef PyObject *_Nullable (*PyCFunctionFast)(PyObject *_Nullable, PyObject *_Nullable const *_Nullable, Py_ssize_t);
typedef struct {
  const char *_Nullable ml_name;
  PyCFunction _Nullable ml_meth;
  int ml_flags;
  const char *_Nullable ml_doc;
} PyMethodDef;
typedef struct {
  PyObject ob_base;
  PyObject *_Nullable (*_Nullable m_init)(void);
  Py_ssize_t m_index;
  PyObject *_Nullable m_copy;
} PyModuleDef_Base;
typedef struct {
  PyModuleDef_Base m_base;
  const char *_Nullable m_name;
  const char *_Nullable m_doc;
  Py_ssize_t m_size;
  PyMethodDef *_Nullable m_methods;
  void *_Nullable m_slots;
  void *_Nullable m_traverse;
  void *_Nullable m_clear;
  void *_Nullable m_free;
} PyModuleDef;
PyObject *_Nullable PyModule_Create2(PyModuleDef *, int abiVersion);

#pragma clang assume_nonnull end
