// Sums of the lanes before a lane, over one workgroup (Hillis and Steele: six steps for 64).

// On software adapters 16 (src/kernels/weights/wgsl.ts).
override SCAN_SIZE: u32 = 64u;
const LARGEST_SCAN = 64u;

var<workgroup> sh_scan: array<u32, LARGEST_SCAN>;

// Every invocation of the workgroup must come here, in uniform control flow.
fn exclusive_scan(lane: u32, value: u32) -> u32 {
  workgroupBarrier();
  sh_scan[lane] = value;
  workgroupBarrier();
  for (var step = 1u; step < SCAN_SIZE; step <<= 1u) {
    var sum = sh_scan[lane];
    if (lane >= step) {
      sum += sh_scan[lane - step];
    }
    workgroupBarrier();
    sh_scan[lane] = sum;
    workgroupBarrier();
  }
  return sh_scan[lane] - value;
}

// Sum over all lanes; valid after `exclusive_scan`, until its next call.
fn scan_total() -> u32 {
  return sh_scan[SCAN_SIZE - 1u];
}
