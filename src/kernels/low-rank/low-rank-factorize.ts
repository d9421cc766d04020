/**
 * SVD of a batch of low-rank products: Householder QR of both factors in panels, one-sided Jacobi
 * on the small core, Q applied to its singular vectors. The number of dispatches depends on the
 * largest rank, not on how many products there are.
 */
import { type BufferScope } from '@/gpu/buffers';
import { withErrorScopes } from '@/gpu/error-scopes';
import { type Kernel } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { PassRecorder, type Resources } from '@/gpu/recorder';
import { PeruError } from '@/core/errors';
import { type FactorizationReport } from '@/tensor/low-rank';
import { type Factorized, type LowRankBatch, type LowRankContext } from './low-rank-batch';
import { balancedColumns, FACT_WORDS, type JobRun } from './low-rank-plan';
import { LOW_RANK_KERNELS, lowRankKernel, type LowRankKernel } from './low-rank-wgsl';

/**
 * Random cores of rank 256 take 11 sweeps; merged adapters, whose spectra fall by five orders of
 * magnitude, took 25. A sweep over settled cores costs a dispatch that ends at once.
 */
const MAX_SWEEPS = 64;
/** Columns of the largest core whose sweep is one dispatch: about 30 ms on one workgroup. */
const WHOLE_SWEEP_COLUMNS = 256;

type Kernels = Readonly<Record<LowRankKernel, Kernel>>;

interface Work extends Readonly<Record<'scratch' | 'exponents' | 'cores' | 'facts', GPUBuffer>> {
  readonly sigmas: GPUBuffer;
  readonly small: GPUBuffer;
  readonly probes: GPUBuffer;
  readonly results: GPUBuffer;
}

/** Records dispatches and counts them. */
class Steps {
  dispatches = 0;
  private recorder: PassRecorder;

  constructor(
    private readonly context: LowRankContext,
    private readonly kernels: Kernels,
  ) {
    this.recorder = new PassRecorder(context.handle, 'svd');
  }

  dispatch(
    name: keyof Kernels,
    params: Readonly<Record<string, number>>,
    resources: Resources,
    groups: number,
  ): void {
    if (groups === 0) return;
    const kernel = this.kernels[name];
    const uniform = this.context.params.get(kernel, params);
    this.recorder.dispatch(kernel, { params: uniform, ...resources }, groups);
    this.dispatches++;
  }

  /** Hands over what is recorded, so that no submission takes long. */
  submit(): void {
    this.recorder.submit();
    this.recorder = new PassRecorder(this.context.handle, 'svd');
  }

  /** The encoder, for copies at the end. */
  end(): GPUCommandEncoder {
    this.recorder.endPass();
    return this.recorder.encoder;
  }
}

/**
 * @returns what stays, in buffers of the context's scope, and the report
 * @throws PeruError `internal` naming a product that did not converge; `out-of-memory`,
 *   `device-lost`
 */
export async function factorizeBatch(
  context: LowRankContext,
  batch: LowRankBatch,
): Promise<{ readonly factorized: Factorized; readonly report: FactorizationReport }> {
  const { handle } = context;
  const kernels = await compileAll(context);
  const { plan } = batch;
  return handle.buffers.lend(async (scope) => {
    const balancedUsage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    let balanced: GPUBuffer | null = null;
    let dispatches = 0;
    const tripletBytes = 4 * plan.tripletCount;
    const read = await readBack(handle, 'factorising adapters', () => {
      balanced = context.scope.create('balanced', 16 * plan.balancedVectors, balancedUsage);
      const work = createWork(scope, batch);
      const steps = new Steps(context, kernels);
      recordQr(steps, batch, work);
      recordJacobi(steps, batch, work);
      recordVectors(steps, batch, work, balanced);
      recordReport(steps, batch, work, balanced);
      dispatches = steps.dispatches;
      const ranges = [
        { source: work.facts, byteLength: 4 * FACT_WORDS * plan.products.length },
        { source: work.sigmas, byteLength: tripletBytes },
        { source: work.results, byteLength: 4 * resultCount(batch) },
      ];
      return { encoder: steps.end(), ranges };
    });
    const facts = new Int32Array(read[0]!);
    assertConverged(context, batch, facts);
    const exponents = plan.products.map((_, i) => facts[FACT_WORDS * i]!);
    const table = await columnTableOf(context, batch, exponents);
    return {
      factorized: { sigmas: new Float32Array(read[1]!), exponents, balanced: balanced!, ...table },
      report: report(batch, facts, new Float32Array(read[2]!), dispatches),
    };
  });
}

async function compileAll({ handle }: LowRankContext): Promise<Kernels> {
  const entries = (Object.keys(LOW_RANK_KERNELS) as LowRankKernel[]).map(async (name) => {
    const source = lowRankKernel(name, handle.adapter.fallback);
    return [name, await handle.pipelines.get(source)] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Kernels;
}

function createWork(scope: BufferScope, batch: LowRankBatch): Work {
  const { plan } = batch;
  const kept = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const own = GPUBufferUsage.STORAGE;
  return {
    scratch: scope.create('QR', 16 * plan.scratchVectors, own),
    exponents: scope.create('exponents', 4 * plan.columnCount, own),
    cores: scope.create('cores', 16 * plan.coreVectors, own),
    facts: scope.create('facts', 4 * FACT_WORDS * plan.products.length, kept),
    sigmas: scope.create('singular values', 2 * 4 * plan.tripletCount, kept),
    small: scope.create('small vectors', 16 * plan.smallVectors, own),
    probes: scope.create('probes', 16 * plan.probeRows, own),
    results: scope.create('residuals', 4 * resultCount(batch), kept),
  };
}

function resultCount({ plan }: LowRankBatch): number {
  return 2 * plan.products.length + plan.jobs.orthogonality.count;
}

function jobParams({ first, count }: JobRun): { first_job: number; job_count: number } {
  return { first_job: first, job_count: count };
}

/** Factors to float32, then R and the reflectors of Q, panel by panel. */
function recordQr(steps: Steps, batch: LowRankBatch, work: Work): void {
  const { plan, jobs, sides, columnTable, arena } = batch;
  const { scratch, exponents } = work;
  const { gather } = plan.jobs;
  const gathered = { jobs, sides, column_table: columnTable, values: arena, scratch, exponents };
  steps.dispatch('gather', jobParams(gather), gathered, gather.count);
  for (let panel = 0; panel < plan.panels; panel++) {
    const side_count = plan.sides.length;
    steps.dispatch('panel', { side_count, panel }, { sides, scratch }, side_count);
    if (panel === lastColumnPanel(batch)) continue;
    steps.dispatch(
      'update',
      { ...jobParams(gather), panel },
      { jobs, sides, scratch },
      gather.count,
    );
  }
}

/** Index of the last panel of the widest side; there is nothing to update right of it. */
function lastColumnPanel({ plan }: LowRankBatch): number {
  const widest = plan.sides.reduce((most, { columns }) => Math.max(most, columns), 0);
  return Math.ceil(widest / 16) - 1;
}

function recordJacobi(steps: Steps, batch: LowRankBatch, work: Work): void {
  const { plan, jobs, sides, products, columnTable } = batch;
  const { scratch, exponents, cores, facts } = work;
  const cored = {
    jobs,
    sides,
    products,
    column_table: columnTable,
    exponents,
    scratch,
    cores,
    facts,
  };
  const { core, workgroup, storage } = plan.jobs;
  steps.dispatch('core', jobParams(core), cored, core.count);
  const swept = { jobs, sides, products, cores, facts };
  const whole = { sweeps: MAX_SWEEPS, first_round: 0, end_round: 0xffff_ffff };
  steps.dispatch('sweepWorkgroup', { ...jobParams(workgroup), ...whole }, swept, workgroup.count);
  if (storage.count === 0) return;
  // Work of a round grows with the square of the columns, and so does the time of a dispatch.
  const players = plan.largestStorageCore + (plan.largestStorageCore % 2);
  const parts = Math.max(1, Math.ceil((players / WHOLE_SWEEP_COLUMNS) ** 3));
  const rounds = Math.ceil((players - 1) / parts);
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    for (let first_round = 0; first_round < players - 1; first_round += rounds) {
      const part = { sweeps: 1, first_round, end_round: first_round + rounds };
      steps.dispatch('sweepStorage', { ...jobParams(storage), ...part }, swept, storage.count);
      steps.submit();
    }
  }
}

/** Singular values and vectors. */
function recordVectors(
  steps: Steps,
  batch: LowRankBatch,
  { cores, sigmas, small, scratch }: Work,
  balanced: GPUBuffer,
): void {
  const { plan, jobs, sides, products } = batch;
  const job_count = plan.products.length;
  const finished = { sides, products, cores, sigmas, small };
  steps.dispatch('finish', { job_count, unsorted: plan.tripletCount }, finished, job_count);
  const { form } = plan.jobs;
  const formed = { jobs, sides, scratch, small, balanced };
  steps.dispatch('form', jobParams(form), formed, form.count);
}

function recordReport(steps: Steps, batch: LowRankBatch, work: Work, balanced: GPUBuffer): void {
  const { plan, jobs, sides, products, columnTable: column_table, arena: values } = batch;
  const { exponents, facts, probes, results, sigmas } = work;
  const { probe, orthogonality } = plan.jobs;
  const job_count = plan.products.length;
  const probed = { jobs, sides, column_table, values, exponents, facts, balanced, probes };
  steps.dispatch('probe', jobParams(probe), probed, probe.count);
  const compared = { sides, column_table, values, exponents, balanced, probes, results };
  steps.dispatch('residual', { job_count }, compared, job_count);
  const first_result = 2 * job_count;
  steps.dispatch(
    'orthogonality',
    { ...jobParams(orthogonality), first_result },
    { jobs, sides, products, sigmas, balanced, results },
    orthogonality.count,
  );
}

function assertConverged(context: LowRankContext, { plan }: LowRankBatch, facts: Int32Array): void {
  const stuck = plan.products.find((_, i) => facts[FACT_WORDS * i + 2] !== 0);
  if (stuck === undefined) return;
  throw new PeruError(
    'internal',
    `The SVD for "${context.products[stuck]!.name}" did not converge in ${MAX_SWEEPS} sweeps.`,
    'Please report this fault in Peru with the names of the adapters.',
  );
}

async function columnTableOf(
  { handle, scope }: LowRankContext,
  { plan }: LowRankBatch,
  exponents: readonly number[],
) {
  const { words, firstColumns } = balancedColumns(
    plan,
    exponents.map((exponent) => exponent / 2),
  );
  const columnTable = await withErrorScopes(handle, 'factorising adapters', () => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = scope.create('balanced columns', words.byteLength, usage);
    handle.device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  });
  return { columnTable, firstColumns };
}

function report(
  { plan }: LowRankBatch,
  facts: Int32Array,
  results: Float32Array,
  dispatches: number,
): FactorizationReport {
  const [residuals, sweeps] = [
    plan.products.map((_, i) => residualOf(results[2 * i]!, results[2 * i + 1]!)),
    plan.products.map((_, i) => facts[FACT_WORDS * i + 1]!),
  ];
  return {
    residual: largest(residuals),
    orthogonality: largest(results.subarray(2 * plan.products.length)),
    sweeps: largest(sweeps),
    dispatches,
  };
}

function residualOf(squaredError: number, squaredNorm: number): number {
  return squaredNorm === 0 ? 0 : Math.sqrt(squaredError / squaredNorm);
}

function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  return most;
}
