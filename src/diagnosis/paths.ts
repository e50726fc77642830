import { posix } from 'node:path'

/** Turns a path from a log into one of the repository. */
export interface RepositoryPaths {
  /** Whether the deployed files are known; otherwise plausible paths are believed. */
  readonly known: boolean
  /** @returns a relative path with forward slashes inside the repository; `undefined` when it lies elsewhere */
  resolve(path: string): string | undefined
}

// Where images keep the application: railpack and most Dockerfiles use /app.
const CONTAINER_ROOTS =
  /^\/(?:app|usr\/src\/app|usr\/app|src\/app|workspaces?|workdir|code|srv\/app|opt\/app|home\/(?:app|node)(?:\/app)?|var\/www\/html|build|src|repo|tmp\/build\/src|vercel\/path0|opt\/build\/repo)\//
const FOREIGN =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|\.venv|venv|\.cargo|\.rustup|\.npm|\.pnpm|\.yarn|\.next|\.git|vendor\/bundle|deps|__pycache__)\/|^\/(?:usr\/(?:lib|local|share|include)|root|opt\/hostedtoolcache|proc|etc|lib|rustc|go\/pkg|nix)\/|^(?:node|internal|webpack-internal|https?|ext|deno):/
const DECORATION =
  /^(?:file:\/\/|webpack:\/\/(?:\/|[\w.@-]{0,60}\/)?|rsc:\/\/React\/Server\/|\[project\]\/|<ROOT>\/|~\/|\.\/)+/

/** No path of a container hides more folders in front of the repository's own. */
const DEEPEST_ROOT = 6

/**
 * @param rootDirectory the folder of the repository that was built, relative; empty for the whole repository
 * @param files those that were deployed; without them, plausible paths are believed
 */
export function repositoryPaths(rootDirectory: string, files?: ReadonlySet<string>): RepositoryPaths {
  const root = normalised(rootDirectory) ?? ''
  const byName = files === undefined ? undefined : namesOf(files)
  return {
    known: files !== undefined,
    resolve(path) {
      const raw = path
        .replaceAll('\\', '/')
        .replace(DECORATION, '')
        .replace(/^\/{2,}/, '/')
        .replace(/[?#].*$/, '')
      if (raw === '' || FOREIGN.test(raw)) return undefined
      if (files === undefined || byName === undefined) return plausible(raw, root)
      return deployed(raw, root, files) ?? onlyOneEndingWith(raw, byName)
    },
  }
}

function plausible(path: string, root: string): string | undefined {
  const inside = CONTAINER_ROOTS.test(path) ? path.replace(CONTAINER_ROOTS, '') : path
  return inside.startsWith('/') ? undefined : normalised(posix.join(root, inside))
}

/** The file of the repository when folders of the container are taken off, one after another. */
function deployed(path: string, root: string, files: ReadonlySet<string>): string | undefined {
  let rest = posix.normalize(path).replace(/^(?:\.\.\/)+/, '')
  for (let taken = 0; taken <= DEEPEST_ROOT; taken += 1) {
    const found = [posix.join(root, rest), rest]
      .flatMap((each) => normalised(each) ?? [])
      .find((each) => files.has(each))
    if (found !== undefined) return found
    const next = rest.replace(/^\/?[^/]+\//, '')
    if (next === rest) return undefined
    // A relative path is one already; only the folder that the tool names it from may be too many.
    if (!path.startsWith('/') && (taken >= 1 || !next.includes('/'))) return undefined
    rest = next
  }
  return undefined
}

/** Tools that run in a package of a monorepo name its files without its folder. */
function onlyOneEndingWith(path: string, byName: ReadonlyMap<string, readonly string[]>): string | undefined {
  const wanted = normalised(path)
  if (wanted === undefined || path.startsWith('/')) return undefined
  const ending = byName.get(posix.basename(wanted))?.filter((file) => file.endsWith(`/${wanted}`)) ?? []
  return ending.length === 1 ? ending[0] : undefined
}

function namesOf(files: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const file of files) {
    const name = posix.basename(file)
    const same = names.get(name)
    if (same === undefined) names.set(name, [file])
    else same.push(file)
  }
  return names
}

/** A relative path without detours; `undefined` when it leaves the repository. */
function normalised(path: string): string | undefined {
  const plain = posix.normalize(path.replace(/^\.?\/+/, '')).replace(/\/$/, '')
  if (plain === '..' || plain.startsWith('../') || plain.startsWith('/')) return undefined
  return plain === '.' ? '' : plain
}
