import { type Finding } from '@/store/sources/preflight';
import { type Preflight } from '@/store/state/sources';
import styles from './upload-dialog.module.css';

/** What the sources' licences ask to be looked at before anything of them is shared. */
export function UploadLicences({ preflight }: { readonly preflight: Preflight | null }) {
  const findings = preflight?.findings.filter(({ topic }) => topic === 'licence') ?? [];
  return (
    <div className={styles.entry}>
      <p className={styles.label}>Licences of the sources</p>
      {findings.length === 0 ? (
        <p className={styles.licence}>
          Nothing is known of them. Ask their authors before you share what is made of their work.
        </p>
      ) : (
        <ul className={styles.licences} aria-label="Licences of the sources">
          {findings.map((finding) => (
            <li key={finding.title} className={styles.licence} data-level={finding.level}>
              {wordsOf(finding)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function wordsOf({ title, detail }: Finding): string {
  return detail === '' ? title : `${title} ${detail}`;
}
