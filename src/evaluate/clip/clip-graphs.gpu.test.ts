import { describe, expect, it } from 'vitest';
import { loadBaseWeights } from '@/evaluate/runtime/base-weights';
import { readClipConfig } from './clip-config';
import { floats, parseGolden } from '@/evaluate/golden/read-golden';
import {
  fetchBytes,
  largestDifference,
  openProvider,
  PROVIDER_KINDS,
} from '@/evaluate/golden/providers';
import { buildVisionGraph } from './clip-vision';
import { createGraphSession, type FeedData } from '@/evaluate/runtime/session';
import { endOfTextPositions } from './tokenize';
import { TextTower } from './zero-shot-head';

const files = import.meta.glob<string>('../golden/*/{config.json,*.safetensors}', {
  query: '?url',
  import: 'default',
  eager: true,
});

async function openGolden(name: string) {
  const bytes = (file: string) => fetchBytes(files[`../golden/${name}/${file}`]!);
  const config: unknown = JSON.parse(new TextDecoder().decode(await bytes('config.json')));
  return {
    config: readClipConfig(config),
    model: parseGolden(await bytes('model.safetensors')),
    expected: parseGolden(await bytes('expected.safetensors')),
  };
}

describe.each(PROVIDER_KINDS)('CLIP graphs on %s', (kind) => {
  it.each(['quick-gelu', 'gelu'])('%s: images as in transformers', async (name) => {
    const { config, model, expected } = await openGolden(name);
    const provider = await openProvider(kind);
    const graph = buildVisionGraph(config);
    const read = (tensor: string) => Promise.resolve(floats(model, tensor));
    const weights = await loadBaseWeights(graph.weights, read, provider);
    const session = await createGraphSession(graph.model, provider);
    const feeds = new Map<string, FeedData>(weights.feeds);
    feeds.set('pixel_values', floats(expected, 'pixel_values'));
    feeds.set('class_head', floats(expected, 'text_embeds'));
    const embeds = await session.run(feeds, 'image_embeds');
    expect(largestDifference(embeds, floats(expected, 'image_embeds').data)).toBeLessThan(1e-5);
    const logits = await session.run(feeds, 'logits');
    expect(largestDifference(logits, floats(expected, 'logits').data)).toBeLessThan(1e-4);
    await session.release();
    weights.dispose();
  });

  it.each(['quick-gelu', 'gelu'])('%s: prompts as in transformers', async (name) => {
    const { config, model, expected } = await openGolden(name);
    const ids = expected.tensors.get('input_ids')!;
    const [count, tokenCount] = ids.shape as [number, number];
    const tokens = { count, tokenCount, ids: ids.data as Int32Array };
    const read = (tensor: string) => Promise.resolve(floats(model, tensor));
    const tensors = { base: read, changed: new Set<string>() };
    const noTokenizer = { encode: () => tokens };
    const tower = new TextTower(config, noTokenizer, tensors, await openProvider(kind));
    const embeds = await tower.embedTokens(tokens, endOfTextPositions(tokens, config.text));
    expect(largestDifference(embeds, floats(expected, 'text_embeds').data)).toBeLessThan(1e-5);
    tower.release();
  });
});
