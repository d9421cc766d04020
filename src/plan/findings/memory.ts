import { type Finding, type MemoryReport } from '@/plan/preflight';
import { finding } from './finding';

/** How the weights are held, and whether the disk has room for what is kept. */
export function memoryFindings(report: MemoryReport): Finding[] {
  const { mode, readsPerByte, diskBytes, freeDiskBytes } = report;
  const findings: Finding[] = [];
  const isEnough = report.leastBytes <= report.budgetBytes;
  if (mode === 'streamed' && isEnough) {
    findings.push(
      finding({
        level: 'note',
        topic: 'memory',
        title: `The weights exceed the memory budget of ${shownBytes(report.budgetBytes)} and are streamed.`,
        detail: `Every byte is read ${times(readsPerByte)}, tensor by tensor; the result is the same. A larger budget makes it faster.`,
      }),
    );
  }
  if (freeDiskBytes !== null && diskBytes > freeDiskBytes) {
    findings.push(
      finding({
        level: 'warning',
        topic: 'disk',
        title: `Keeping the files takes ${shownBytes(diskBytes)}, and the browser has room for ${shownBytes(freeDiskBytes)}.`,
        detail:
          'What does not fit is not kept and will be fetched again when it is needed: make room, or clear what is kept from before.',
      }),
    );
  }
  return findings;
}

function times(count: number): string {
  const rounded = Math.round(count * 10) / 10;
  return rounded === 1 ? 'once' : rounded === 2 ? 'twice' : `${rounded} times`;
}

/** In decimal units, as disks and downloads are measured. */
function shownBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}
