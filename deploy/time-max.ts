/** The last time that a date can have, in ms since 1970; the first one is as far before it. */
export const timeMax = 8.64e15
