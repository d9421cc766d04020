import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './fixtures';

const VIEWPORTS = [
  { width: 360, height: 740 },
  { width: 1280, height: 900 },
];

for (const colorScheme of ['light', 'dark'] as const) {
  for (const viewport of VIEWPORTS) {
    test(`axe finds nothing at ${viewport.width} px, ${colorScheme}`, async ({ peru, page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await peru.open();
      await expect(peru.accuracyTable).toContainText('%');
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, 'the page itself never scrolls sideways').toBeLessThanOrEqual(0);
    });
  }
}
