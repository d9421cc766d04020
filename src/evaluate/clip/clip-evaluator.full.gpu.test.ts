/** A part of the zoo's test images with onnxruntime's webgpu provider. */
import { it } from 'vitest';
import { expectOwnTower, testZooLogits } from '@/evaluate/golden/clip-zoo-suite';
import { isBesideVision } from '@/evaluate/golden/zoo';

testZooLogits('webgpu');

it('models that change more than the vision tower are scored with what is theirs', async () => {
  await expectOwnTower('webgpu', isBesideVision);
});
