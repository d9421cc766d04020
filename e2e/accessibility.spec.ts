import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './fixtures';

const VIEWPORTS = [
  { width: 360, height: 740 },
  { width: 1280, height: 900 },
];

const CASES = (['fft', 'lora', 'loras'] as const).flatMap((demo) =>
  (['light', 'dark'] as const).flatMap((colorScheme) =>
    VIEWPORTS.map((viewport) => ({ demo, colorScheme, viewport })),
  ),
);

for (const { demo, colorScheme, viewport } of CASES) {
  test.describe(() => {
    // All kinds of rows once; on a phone each row looks like the next.
    test.use({ zoo: viewport.width > 1000 ? 'first-rows' : 'short' });

    test(`axe finds nothing in ${demo} at ${viewport.width} px, ${colorScheme}`, async ({
      peru,
      page,
    }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await peru.open(`?demo=${demo}`);
      if (demo !== 'loras') await expect(peru.accuracyTable).toContainText('%');
      if (demo !== 'fft') await expect(peru.spectraMap).toBeVisible();
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, 'the page itself never scrolls sideways').toBeLessThanOrEqual(0);
    });
  });
}
