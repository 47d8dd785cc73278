//! The programmes of a multiplex: which streams belong together.
//!
//! Deliberately absent: their names, which nothing here is called by.

use ffmpeg_the_third::ffi;
use std::slice;

/// One programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// `program_number` of transport streams.
    pub number: u32,
    /// Indexes of its streams.
    pub streams: Vec<usize>,
}

/// Those of an opened file that have streams.
pub(super) fn of(context: &ffi::AVFormatContext) -> Vec<Program> {
    (0..context.nb_programs as usize)
        .map(|index| {
            // SAFETY: the context has nb_programs live programmes, which live as long as it does.
            let program = unsafe { &**context.programs.add(index) };
            let count = program.nb_stream_indexes as usize;
            let streams: &[u32] = if program.stream_index.is_null() {
                &[]
            } else {
                // SAFETY: checked for null; the list has as many indexes as the programme says.
                unsafe { slice::from_raw_parts(program.stream_index, count) }
            };
            Program {
                number: program.id.max(0) as u32,
                streams: streams.iter().map(|stream| *stream as usize).collect(),
            }
        })
        .filter(|program| !program.streams.is_empty())
        .collect()
}
