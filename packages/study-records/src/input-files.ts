/** A file that is open for reading; each read goes on from where the last one ended. */
export interface InputFile {
  /** Fills the buffer from its start and tells how many bytes came; 0 at the end of the file. */
  read(buffer: Uint8Array): Promise<number>
  close(): Promise<void>
}

/** All that is asked of the file system here. It is an argument, so that a test can watch a task's every call. */
export interface InputFiles {
  open(path: string, flags: 'r'): Promise<InputFile>
  /** `none` where nothing is there. */
  kindOf(path: string): Promise<'file' | 'folder' | 'link' | 'none'>
}
