/** Bytes held by typed arrays, counted by those who hold them. */
export class MemoryCount {
  liveBytes = 0;
  peakBytes = 0;

  add(byteLength: number): void {
    this.liveBytes += byteLength;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
  }

  remove(byteLength: number): void {
    this.liveBytes -= byteLength;
  }
}
