import { spawn } from 'node:child_process'

/** The program that opens an address in the browser of whoever sits at this machine. None of them is a shell. */
export function browserCommand(
  platform: NodeJS.Platform,
  address: string,
): { readonly program: string; readonly args: readonly string[] } {
  if (platform === 'darwin') return { program: 'open', args: [address] }
  // `start` is a word of the shell, which would take the ampersands in an address for its own.
  if (platform === 'win32') return { program: 'rundll32', args: ['url.dll,FileProtocolHandler', address] }
  return { program: 'xdg-open', args: [address] }
}

/**
 * Opens an address in the browser. Nobody waits for it: some of these programs end with the browser only.
 * @param onFailure called when it could not be opened
 */
export function openBrowser(platform: NodeJS.Platform, address: string, onFailure: () => void): void {
  const { program, args } = browserCommand(platform, address)
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  child.on('error', onFailure)
  child.on('exit', (code) => code !== 0 && onFailure())
  child.unref()
}
