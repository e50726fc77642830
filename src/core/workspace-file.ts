import { realpathSync, type Stats, statSync } from 'node:fs'
import { isAbsolute, relative, resolve, sep } from 'node:path'

/** What a path that a setting names leads to. `path` is without links. */
export type Located =
  | { readonly kind: 'file' | 'directory'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'absent' }
  /** `why` is the end of a sentence that begins with the path. */
  | { readonly kind: 'refused'; readonly why: string }

/**
 * Follows a path that a setting names. A file or directory counts only where it really lies in the workspace: a link could
 * lead to the secrets of the job (`/proc/self/environ`), and `.git` may hold the credentials of the checkout.
 */
export function locateInWorkspace(workspace: string, path: string): Located {
  const asked = resolve(workspace, path)
  if (!isInside(relative(workspace, asked))) return refused('is outside the workspace')
  let real: string
  let stats: Stats
  let place: string
  try {
    real = realpathSync(asked)
    stats = statSync(real)
    place = relative(realpathSync(workspace), real)
  } catch {
    return { kind: 'absent' }
  }
  if (!isInside(place)) return refused('is a link that leads out of the workspace')
  if (place.split(sep).some((part) => part.toLowerCase() === '.git')) {
    return refused('belongs to git, and may hold credentials')
  }
  if (stats.isDirectory()) return { kind: 'directory', path: real, bytes: 0 }
  return stats.isFile() ? { kind: 'file', path: real, bytes: stats.size } : refused('is neither a file nor a directory')
}

function refused(why: string): Located {
  return { kind: 'refused', why }
}

// On Windows a path on another drive stays absolute.
function isInside(path: string): boolean {
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)
}
