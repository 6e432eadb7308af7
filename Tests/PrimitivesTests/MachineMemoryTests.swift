import Testing

@testable import Primitives

@Suite struct MachineMemoryTests {
  /// A machine whose files hold these texts.
  private func limit(_ texts: [String: String], physical: Int = 8 << 30) -> Int {
    MachineMemory.limit(physical: physical) { texts[$0] ?? "" }
  }

  @Test func theMachineWhereNothingElseIsSet() {
    #expect(limit([:]) == 8 << 30)
    #expect(limit(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n"]) == 8 << 30)
    #expect(limit(["/proc/self/cgroup": "garbage\n::\n1:2", "/sys/fs/cgroup/memory.max": "-5"]) == 8 << 30)
  }

  @Test func theContainersOwnLimitAndThoseAboveIt() {
    let second = ["/proc/self/cgroup": "0::/a/b\n"]
    #expect(limit(second.merging(["/sys/fs/cgroup/a/b/memory.max": "1000\n"]) { $1 }) == 1000)
    #expect(limit(second.merging(["/sys/fs/cgroup/a/memory.max": "2000\n", "/sys/fs/cgroup/a/b/memory.max": "max\n"]) { $1 }) == 2000)
    #expect(limit(second.merging(["/sys/fs/cgroup/memory.max": "3000"]) { $1 }) == 3000)
    let first = ["/proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/y\n", "/sys/fs/cgroup/memory/docker/y/memory.limit_in_bytes": "4000\n"]
    #expect(limit(first) == 4000)
    #expect(limit(["/proc/self/cgroup": "5:cpu:/x\n", "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "4000\n"]) == 8 << 30)
    // What the first version says where nothing is set.
    #expect(limit(["/proc/self/cgroup": "4:memory:/", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"]) == 8 << 30)
  }

  @Test func thisMachineHasSome() { #expect(MachineMemory.byteCount > 64 << 20) }
}
