import {
  isAtIdentifier,
  isAtUri,
  isCidString,
  isDid,
  isHandle,
  isLanguage,
  isNsid,
  isRecordKey,
  isTid,
  isUri,
} from '@imago/syntax'
import type { StringFormat } from '../document.ts'
import type { Mode } from '../issue.ts'
import { isDatetimeIn } from './values.ts'

/** The guard of each string format. */
export const FORMATS: Readonly<Record<StringFormat, (value: unknown, mode: Mode) => value is string>> = {
  'at-identifier': isAtIdentifier,
  'at-uri': isAtUri,
  cid: isCidString,
  datetime: isDatetimeIn,
  did: isDid,
  handle: isHandle,
  language: isLanguage,
  nsid: isNsid,
  'record-key': isRecordKey,
  tid: isTid,
  uri: isUri,
}
