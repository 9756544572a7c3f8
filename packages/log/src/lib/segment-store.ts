import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { LogFile, LogFiles } from './log-files.ts'
import { corrupt, createIndex, hasBatchAfter, type SegmentIndex, scanSegment } from './segment.ts'
import {
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  MARKER_BYTES,
  type SegmentHeader,
} from './segment-format.ts'

export interface Segment {
  readonly path: string
  readonly header: SegmentHeader
}

/** The segment that grows. What it says of itself is durable. */
export interface ActiveSegment extends Segment {
  readonly file: LogFile
  readonly index: SegmentIndex
  bytes: number
  entries: number
  head: number
  /** Earliest and latest time of its entries, ms since the Unix epoch. */
  firstMs: number
  lastMs: number
}

// The greatest safe integer has 16 digits, so that names sort as numbers do.
const NAME = /^(\d{16})\.log$/

/** Paths of the segments in a folder, oldest first. */
export async function listSegments(files: LogFiles, folder: string): Promise<string[]> {
  const names = await files.list(folder)
  return names
    .filter((name) => NAME.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** Begins a segment after entry `base`. When it resolves, the empty segment is durable. */
export async function createSegment(
  files: LogFiles,
  folder: string,
  start: Omit<SegmentHeader, 'marker'>,
): Promise<ActiveSegment> {
  const path = join(folder, `${String(start.base).padStart(16, '0')}.log`)
  const file = await files.create(path)
  try {
    const header = { ...start, marker: randomBytes(MARKER_BYTES) }
    await file.write(encodeHeader(header), 0)
    await file.sync()
    await files.syncFolder(folder)
    return {
      path,
      header,
      file,
      index: createIndex(header.base),
      bytes: HEADER_BYTES,
      entries: 0,
      head: header.base,
      firstMs: Number.POSITIVE_INFINITY,
      lastMs: 0,
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Reads what a full segment says of itself; its contents are checked when they are read. */
export async function openSealed(files: LogFiles, path: string): Promise<Segment> {
  const file = await files.open(path)
  try {
    return { path, header: await readHeader(file, path) }
  } finally {
    await file.close()
  }
}

async function readHeader(file: LogFile, path: string): Promise<SegmentHeader> {
  const bytes = Buffer.alloc(HEADER_BYTES)
  const header = decodeHeader(bytes.subarray(0, await file.read(bytes, 0)))
  if (!header) throw corrupt(path, 0, 'it does not begin with the header of a segment')
  return header
}

/**
 * Opens the newest segment as the last run left it: a batch that was not written whole is cut off, and what was
 * written but perhaps not yet durable is made so before anybody builds on it.
 * @throws {LogError} `Corrupt` when the damage cannot come from a torn write.
 */
export async function recoverActive(files: LogFiles, path: string): Promise<ActiveSegment> {
  const file = await files.open(path)
  try {
    const size = await file.size()
    const header = await readHeader(file, path)
    const { soundBytes, ...found } = await scanSegment(file, path, header, size)
    if (soundBytes < size) {
      if (await hasBatchAfter(file, header.marker, soundBytes + 1, size))
        throw corrupt(path, soundBytes, 'a batch is not what was written, and others follow it')
      await file.truncate(soundBytes)
    }
    await file.sync()
    return { path, header, file, bytes: soundBytes, ...found }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Whether a crash came before the segment's header was durable: then nothing was ever written behind it. */
export async function isUnborn(files: LogFiles, path: string): Promise<boolean> {
  const file = await files.open(path)
  try {
    if ((await file.size()) > HEADER_BYTES) return false
    const bytes = Buffer.alloc(HEADER_BYTES)
    return decodeHeader(bytes.subarray(0, await file.read(bytes, 0))) === undefined
  } finally {
    await file.close()
  }
}
