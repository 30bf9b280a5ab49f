/** A promise that is settled from outside. Its rejection counts as seen. */
export class Deferred<T = void> {
  readonly promise: Promise<T>
  resolve: (value: T) => void = () => undefined
  reject: (reason: unknown) => void = () => undefined

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.promise.catch(() => undefined)
  }
}
