//! Sprite sheets: equal cells in rows and columns, filled one after the other.
//!
//! Guarantees: at most one sheet is in memory; every sheet is full but the last, which keeps its full width and
//! only the rows it needs; unused cells have the ground colour. Deliberately absent: scaling (cells arrive at their
//! size), encoding, files.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::picture::Color;
use crate::media::picture::Picture;
use crate::media::picture::largest_side;
use crate::media::spec::PictureFormat;
use crate::media::spec::SnapshotSpec;

/// Largest sheet, pixels: 192 MiB as RGB. Players give up well before.
const MAX_SHEET_PIXELS: u64 = 64 << 20;

/// A rectangle on a sheet, pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellBox {
    /// From the left edge.
    pub x: u32,
    /// From the upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// How cells lie on sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Cells in a row.
    pub columns: u32,
    /// Rows of a full sheet.
    pub lines: u32,
    /// Pixels of a cell.
    pub cell_width: u32,
    /// See `cell_width`.
    pub cell_height: u32,
    /// Pixels between cells.
    pub padding: u32,
    /// Pixels around all of them.
    pub margin: u32,
    /// Ground colour.
    pub color: Color,
}

impl Layout {
    /// The layout a spec asks for, with cells of the given size. A sheet that its format cannot hold, or that no
    /// reasonable amount of memory can, is a fault of the request.
    pub fn of(spec: &SnapshotSpec, cell_width: u32, cell_height: u32, color: Color) -> Result<Self, Fault> {
        let layout = Layout {
            columns: spec.columns.max(1),
            lines: spec.lines.max(1),
            cell_width,
            cell_height,
            padding: spec.padding,
            margin: spec.margin,
            color,
        };
        layout.fits(spec.format)?;
        Ok(layout)
    }

    /// Cells of a full sheet.
    pub fn cells(&self) -> usize {
        self.columns as usize * self.lines as usize
    }

    /// Sheets that so many cells need.
    pub fn sheets(&self, cells: usize) -> usize {
        cells.div_ceil(self.cells())
    }

    /// Number of the sheet (from 0) that holds a cell, and where it lies there.
    pub fn place(&self, cell: usize) -> (usize, CellBox) {
        let within = (cell % self.cells()) as u32;
        let (column, line) = (within % self.columns, within / self.columns);
        let place = CellBox {
            x: self.margin + column * (self.cell_width + self.padding),
            y: self.margin + line * (self.cell_height + self.padding),
            width: self.cell_width,
            height: self.cell_height,
        };
        (cell / self.cells(), place)
    }

    /// Pixels of a sheet that holds so many cells (at least one, at most a full sheet).
    pub fn size(&self, cells: usize) -> (u32, u32) {
        let lines = cells.clamp(1, self.cells()).div_ceil(self.columns as usize) as u32;
        (
            extent(self.columns, self.cell_width, self.padding, self.margin) as u32,
            extent(lines, self.cell_height, self.padding, self.margin) as u32,
        )
    }

    fn fits(&self, format: PictureFormat) -> Result<(), Fault> {
        let width = extent(self.columns, self.cell_width, self.padding, self.margin);
        let height = extent(self.lines, self.cell_height, self.padding, self.margin);
        let side = u64::from(largest_side(format));
        if width <= side && height <= side && width * height <= MAX_SHEET_PIXELS {
            return Ok(());
        }
        Err(Fault::new(
            "SheetTooLarge",
            Blame::Request,
            "sprite",
            format!(
                "a sheet of {} x {} cells of {}x{}",
                self.columns, self.lines, self.cell_width, self.cell_height
            ),
            format!(
                "it would be {width}x{height} pixels; {} holds {side} a side and {MAX_SHEET_PIXELS} in all",
                format.extension()
            ),
            "Ask for fewer columns and lines or smaller cells; further cells go to further sheets.",
        ))
    }
}

fn extent(count: u32, cell: u32, padding: u32, margin: u32) -> u64 {
    let (count, padding) = (u64::from(count), u64::from(padding));
    count * u64::from(cell) + (count - 1) * padding + 2 * u64::from(margin)
}

/// Cells on their way to sheets.
#[derive(Debug)]
pub struct SheetBuilder {
    layout: Layout,
    sheet: Option<Picture>,
    cells: usize,
}

impl SheetBuilder {
    /// No cells yet.
    pub fn new(layout: Layout) -> Self {
        SheetBuilder {
            layout,
            sheet: None,
            cells: 0,
        }
    }

    /// Adds the next cell; gives the sheet back when that filled it. A cell of another size than the layout's is
    /// placed at the upper left of its box and cut to it.
    pub fn push(&mut self, cell: &Picture) -> Option<Picture> {
        let (_, place) = self.layout.place(self.cells);
        let sheet = self.sheet.get_or_insert_with(|| {
            let (width, height) = self.layout.size(self.layout.cells());
            Picture::filled(width, height, self.layout.color).expect("a layout has at least one cell")
        });
        if cell.width() <= place.width && cell.height() <= place.height {
            sheet.paste(cell, place.x, place.y);
        } else {
            let mut cut = Picture::filled(place.width, place.height, self.layout.color).expect("cells are not empty");
            cut.paste(cell, 0, 0);
            sheet.paste(&cut, place.x, place.y);
        }
        self.cells += 1;
        if self.cells.is_multiple_of(self.layout.cells()) {
            self.sheet.take()
        } else {
            None
        }
    }

    /// The last, partial sheet, cut to the rows it needs; none when the last one was full or nothing came.
    pub fn finish(mut self) -> Option<Picture> {
        let mut sheet = self.sheet.take()?;
        let (_, height) = self.layout.size(self.cells % self.layout.cells());
        sheet.cut_below(height);
        Some(sheet)
    }

    /// Cells so far.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// How they lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout {
            columns: 3,
            lines: 2,
            cell_width: 8,
            cell_height: 4,
            padding: 2,
            margin: 5,
            color: Color([1, 2, 3]),
        }
    }

    fn cell(shade: u8) -> Picture {
        Picture::filled(8, 4, Color([shade, shade, shade])).expect("not empty")
    }

    #[test]
    fn every_cell_lies_where_the_layout_says_and_the_rest_is_ground() {
        let mut builder = SheetBuilder::new(layout());
        let sheets: Vec<Picture> = (0..6).filter_map(|number| builder.push(&cell(100 + number))).collect();
        assert_eq!(sheets.len(), 1);
        let sheet = &sheets[0];
        assert_eq!(
            (sheet.width(), sheet.height()),
            (5 + 8 + 2 + 8 + 2 + 8 + 5, 5 + 4 + 2 + 4 + 5)
        );
        let mut covered = 0;
        for number in 0..6 {
            let (_, place) = layout().place(number);
            for y in place.y..place.y + place.height {
                for x in place.x..place.x + place.width {
                    assert_eq!(sheet.pixel(x, y), [100 + number as u8; 3]);
                    covered += 1;
                }
            }
        }
        let ground = sheet.rgb().chunks_exact(3).filter(|pixel| *pixel == [1, 2, 3]).count();
        assert_eq!(covered + ground, sheet.rgb().len() / 3);
        assert!(builder.finish().is_none());
    }

    #[test]
    fn what_overflows_goes_to_a_further_sheet_with_only_the_rows_it_needs() {
        let mut builder = SheetBuilder::new(layout());
        let full: Vec<Picture> = (0..8).filter_map(|number| builder.push(&cell(number))).collect();
        let last = builder.finish().expect("two cells remain");
        assert_eq!(full.len(), 1);
        assert_eq!((last.width(), last.height()), (full[0].width(), 5 + 4 + 5));
        assert_eq!(
            layout().place(7),
            (
                1,
                CellBox {
                    x: 15,
                    y: 5,
                    width: 8,
                    height: 4
                }
            )
        );
        assert_eq!(last.pixel(15, 5), [7, 7, 7]);
        assert_eq!(last.pixel(25, 5), [1, 2, 3]);
        assert_eq!((layout().sheets(6), layout().sheets(7), layout().sheets(12)), (1, 2, 2));
    }

    #[test]
    fn a_cell_of_another_size_never_spills() {
        let mut builder = SheetBuilder::new(layout());
        builder.push(&Picture::filled(30, 30, Color([200, 0, 0])).expect("not empty"));
        let sheet = builder.finish().expect("one cell");
        let red = sheet
            .rgb()
            .chunks_exact(3)
            .filter(|pixel| *pixel == [200, 0, 0])
            .count();
        assert_eq!(red, 8 * 4);
    }

    #[test]
    fn sheets_beyond_their_format_or_memory_are_refused() {
        let spec = |json: &str| serde_json::from_str::<SnapshotSpec>(json).expect("a spec");
        let of = |spec: &SnapshotSpec, width, height| Layout::of(spec, width, height, Color([0; 3]));
        assert!(of(&spec(r#"{"columns":100,"lines":100}"#), 160, 90).is_err());
        assert!(of(&spec(r#"{"columns":10,"lines":10}"#), 160, 90).is_ok());
        let wide = r#"{"columns":100,"lines":1,"format":"FORMAT"}"#;
        assert!(of(&spec(&wide.replace("FORMAT", "webp")), 164, 90).is_err());
        assert!(of(&spec(&wide.replace("FORMAT", "jpg")), 164, 90).is_ok());
    }
}
