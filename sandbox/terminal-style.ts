/** Whether somebody looks at a terminal, on which a line can be written over. */
export const isTerminal = process.stdout.isTTY === true && process.env.TERM !== 'dumb'

/** Colours are left out where nobody sees them: in a pipe, in a file, and where `NO_COLOR` or a dumb terminal says so. */
const isColoured =
  process.env.FORCE_COLOR !== undefined ? process.env.FORCE_COLOR !== '0' : isTerminal && !process.env.NO_COLOR

const styled = (on: number, off: number) => (text: string) => (isColoured ? `\u001b[${on}m${text}\u001b[${off}m` : text)

export const green = styled(32, 39)
export const red = styled(31, 39)
export const bold = styled(1, 22)
export const dim = styled(2, 22)
