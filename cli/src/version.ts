/** The version of this release, as `imago --version` and `/_health` tell it. */
export const VERSION = '0.1.0'
