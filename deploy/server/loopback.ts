/** Whether an address, or the name in a Host header, is of this machine only. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host)
}
