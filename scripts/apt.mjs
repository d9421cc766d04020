// Packages of Debian and its kin, by apt-get, as root or by sudo where that asks nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCES = '/etc/apt/sources.list';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Whether this is Debian, or made from it. */
export function hasApt() {
  return existsSync('/etc/debian_version');
}

/** Installs packages from the system's own sources; what went wrong is printed. */
export function aptInstall(packages) {
  return aptGet(['update']) && aptGet(['install', '-y', '--no-install-recommends', ...packages]);
}

/** Installs packages from Debian's backports, without adding those to the system's sources. */
export function aptInstallFromBackports(packages) {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const archive = archiveOf(codename);
  if (archive === null) return false;
  const list = join(mkdtempSync(join(tmpdir(), 'peru-apt-')), 'sources.list');
  const own = existsSync(SOURCES) ? readFileSync(SOURCES, 'utf8') : '';
  const suite = `${codename}-backports`;
  writeFileSync(list, `${own}\ndeb [signed-by=${KEYRING}] ${archive} ${suite} main\n`);
  const withList = ['-o', `Dir::Etc::sourcelist=${list}`];
  const install = ['install', '-y', '--no-install-recommends', '-t', suite, ...packages];
  return aptGet([...withList, 'update']) && aptGet([...withList, ...install]);
}

/** Where the system fetches Debian's main part from, or null where it is no Debian. */
function archiveOf(codename) {
  const query = ['Origin: Debian', `Codename: ${codename}`, 'Component: main'];
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', ...query], {
    encoding: 'utf8',
  });
  return stdout?.split('\n')[0] || null;
}

function aptGet(args) {
  const [program, ...rest] = [
    ...(process.getuid?.() === 0 ? [] : ['sudo', '-n']),
    'apt-get',
    ...args,
  ];
  const { status, error } = spawnSync(program, rest, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) console.log(error?.message ?? `apt-get ${args.join(' ')} ended with ${status}`);
  return status === 0;
}
