import {
  type FactorFacts,
  type LoraContents,
  type LoraFileFacts,
} from '@/export/lora/lora-contents';
import { isConvolution, type LoraFile, type LoraFileModule } from '@/formats/lora-file/lora-file';
import { modulePath } from '@/formats/lora-file/module-path';
import { type MatchedFiles, type SharedModule } from '@/plan/loras/match-files';
import { type FloatDtype, isFloatDtype } from '@/tensor/dtype';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type ScaledFiles } from './file-products';

/** What the page must know of LoRA files to preview any choice. */
export function loraContents(
  { files, scales }: ScaledFiles,
  { modules }: MatchedFiles,
): LoraContents {
  const ranks = modules.map((one) => ownRanks(files, one));
  return {
    kind: 'loras',
    modules: modules.map((one) => {
      const { rows, columns } = one;
      return { name: shownName(files, one), rows, columns, isConvolution: isConvolution(one) };
    }),
    files: files.map((file, index) => factsOf(file, index, scales[index]!, modules)),
    maxRank: Math.max(0, ...ranks.flat()),
    maxRankOfAll: Math.max(
      0,
      ...ranks.map((own, i) => {
        const { rows, columns } = modules[i]!;
        return Math.min(
          rows,
          columns,
          own.reduce((sum, rank) => sum + rank, 0),
        );
      }),
    ),
  };
}

/** With dots, where some file has the module's name so. */
function shownName(files: readonly LoraFile[], { part, path, places }: SharedModule): string {
  const paths = places.flatMap((place, file) => {
    const module = files[file]!.modules[place];
    return module === undefined ? [] : [modulePath(module.key)];
  });
  const shown = paths.find(({ isJoined }) => !isJoined)?.path ?? path;
  return part === '' ? shown : `${part}: ${shown}`;
}

function ownRanks(files: readonly LoraFile[], { places }: SharedModule): number[] {
  return places.flatMap((place, file) => {
    const module = files[file]!.modules[place];
    return module === undefined ? [] : [Math.min(module.rank, module.rows, module.columns)];
  });
}

function factsOf(
  file: LoraFile,
  index: number,
  scales: readonly number[],
  modules: readonly SharedModule[],
): LoraFileFacts {
  const { name, spelling, carried, order, metadata, config, byteLength, weightsPath } = file;
  const base = weightsPath.slice(weightsPath.lastIndexOf('/') + 1);
  return {
    name,
    // A folder's weights are called alike in all of them.
    path: config === null ? `${name}.safetensors` : `${name}/${base}`,
    spelling: spelling.id,
    factors: file.modules.map((module, i) => factorOf(module, scales[i]!)),
    places: modules.map(({ places }) => places[index]!),
    carried: carried.map(({ name: tensor, dtype, shape }) => ({ name: tensor, dtype, shape })),
    order,
    metadata: [...metadata],
    config,
    byteLength,
  };
}

function factorOf(module: LoraFileModule, scale: number): FactorFacts {
  const { key, spelling, up, down, alpha, bias, rank, rows, columns, inputShape } = module;
  return {
    ...{ key, rank, rows, columns, inputShape, scale },
    spelling: spelling.id,
    upPoints: spelling.isTransposed ? 0 : inputShape.length - 1,
    upDtype: writtenDtype(up),
    downDtype: writtenDtype(down),
    alpha: alpha === null ? null : { dtype: writtenDtype(alpha), shape: alpha.shape },
    biasDtype: bias === null ? null : writtenDtype(bias),
  };
}

function writtenDtype({ dtype }: StoredTensor): FloatDtype {
  return isFloatDtype(dtype) ? dtype : 'F32';
}
