import { posix } from 'node:path'

/** Turns a path from a log into one of the repository. */
export interface RepositoryPaths {
  /** @returns a relative path with forward slashes inside the repository; `undefined` when it lies elsewhere */
  resolve(path: string): string | undefined
}

// Where images keep the application: railpack and most Dockerfiles use /app.
const CONTAINER_ROOTS =
  /^\/(?:app|usr\/src\/app|usr\/app|src\/app|workspace|workdir|code|srv\/app|opt\/app|home\/(?:app|node)(?:\/app)?|var\/www\/html|build|src|repo)\//
const FOREIGN =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|\.venv|venv|\.cargo|\.rustup|\.npm|\.pnpm|\.yarn|\.next|\.git|vendor\/bundle|__pycache__)\/|^\/(?:usr\/(?:lib|local|share)|root|opt\/(?!app\/)|proc|etc|lib|var\/(?!www\/)|rustc|go\/pkg)\/|^(?:node|internal|webpack|webpack-internal|https?):/

/**
 * @param rootDirectory the folder of the repository that was built, relative; empty for the whole repository
 * @param knownFiles tells whether the repository has a file; without it, plausible paths are believed
 */
export function repositoryPaths(rootDirectory: string, knownFiles?: (path: string) => boolean): RepositoryPaths {
  const root = normalised(rootDirectory) ?? ''
  return {
    resolve(path) {
      const raw = path
        .replace(/^file:\/\//, '')
        .replaceAll('\\', '/')
        .replace(/^\.\//, '')
      if (raw === '' || FOREIGN.test(raw)) return undefined
      const inside = CONTAINER_ROOTS.test(raw) ? raw.replace(CONTAINER_ROOTS, '') : raw
      if (inside.startsWith('/')) return undefined
      const candidates = [posix.join(root, inside), inside].flatMap((each) => normalised(each) ?? [])
      return knownFiles === undefined ? candidates[0] : candidates.find(knownFiles)
    },
  }
}

/** A relative path without detours; `undefined` when it leaves the repository. */
function normalised(path: string): string | undefined {
  const plain = posix.normalize(path.replace(/^\.?\/+/, '')).replace(/\/$/, '')
  if (plain === '..' || plain.startsWith('../') || plain.startsWith('/')) return undefined
  return plain === '.' ? '' : plain
}
