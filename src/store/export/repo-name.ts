/** Names of repos on the Hub, as it takes them. Pure. */

/** The Hub's own limit. */
const MAX_NAME_CHARACTERS = 96;

/** What keeps `owner/name` from being a repo's name, one sentence; null where nothing does. */
export function repoProblem(repo: string): string | null {
  const [owner = '', name = '', ...more] = repo.split('/');
  if (owner === '' || name === '' || more.length > 0) return 'A repo is named owner/name.';
  if (!/^[\w.-]+$/.test(owner) || !/^[\w.-]+$/.test(name)) {
    return 'A repo’s name holds letters, digits, -, _ and . only.';
  }
  if (/^[-.]|[-.]$|--|\.\.|\.git$/.test(name)) {
    return 'A repo’s name has no - or . at its ends, no two of them in a row, and no .git.';
  }
  return name.length > MAX_NAME_CHARACTERS
    ? `A repo’s name has at most ${MAX_NAME_CHARACTERS} characters.`
    : null;
}

/** A name made of a group's title, e.g. `peru-clip-on-eight-tasks`. */
export function suggestedName(title: string): string {
  const words = title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '' && word !== 'peru');
  return ['peru', ...words].join('-').slice(0, MAX_NAME_CHARACTERS).replace(/-+$/, '');
}
