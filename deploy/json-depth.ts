/** What writes JSON goes down as deep as the value is: deeper ones end the stack of whoever writes them. */
export const jsonDepthMax = 1000

/** Whether arrays and objects of a JSON text are nested deeper than can be written again. @param text one that parses. */
export function tooDeep(text: string): boolean {
  if (text.length <= 2 * jsonDepthMax) return false
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === backslash) i++
      else if (code === quote) inString = false
    } else if (code === quote) inString = true
    else if (code === open || code === openObject) {
      if (++depth > jsonDepthMax) return true
    } else if (code === close || code === closeObject) depth--
  }
  return false
}

const [quote, backslash, open, close, openObject, closeObject] = Array.from('"\\[]{}', (sign) => sign.charCodeAt(0))
