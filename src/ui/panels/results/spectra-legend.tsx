import { LEVELS } from '@/ui/charts/spectra-layout';
import { opacityOf } from '@/ui/charts/spectra-map';
import styles from './spectra-panel.module.css';

/** What colour and strength mean, from σ₁ down to the weakest shown. */
export function SpectraLegend({ decades }: { readonly decades: number }) {
  return (
    <div className={styles.legend}>
      <Scale name="kept" look={styles.kept} />
      <Scale name="dropped" look={styles.dropped} />
      <span />
      <span className={styles.ends}>
        <span>σ₁</span>
        <span>
          σ₁ / {(10 ** decades).toLocaleString('en')}
          <span className="visually-hidden"> or less</span>
        </span>
      </span>
    </div>
  );
}

function Scale({ name, look }: { readonly name: string; readonly look: string | undefined }) {
  return (
    <>
      <span>{name}</span>
      <span className={styles.scale} aria-hidden="true">
        {Array.from({ length: LEVELS }, (_, i) => (
          <span key={i} className={look} style={{ opacity: opacityOf(LEVELS - 1 - i) }} />
        ))}
      </span>
    </>
  );
}
