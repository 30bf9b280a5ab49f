/** Marks what `defineJob` makes: an object with this property is a job. Registered, so that it is the same for two copies of the package. */
export const jobMark: unique symbol = Symbol.for('reprise.job')
