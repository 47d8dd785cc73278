//! Which containers and codecs may be opened at all: what studios deliver, and nothing that opens other files,
//! runs scripts or has no keeper any more.

use ffmpeg_the_third::ffi;
use std::ffi::CStr;
use std::ffi::CString;
use std::ptr;
use std::sync::LazyLock;

const DEMUXERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,m4v,avi,mxf,gxf,asf,flv,live_flv,\
    gif,apng,ogg,wav,w64,aiff,caf,au,mp3,aac,flac,ac3,eac3,dts,dtshd,truehd,amr,wv,tta,ape,h264,hevc,vc1,obu,av1,ivf,\
    dv,rm,nut,yuv4mpegpipe,wtv,ipod,jpeg_pipe,png_pipe,webp_pipe";

const VIDEO: &[&str] = &[
    "h264",
    "hevc",
    "libdav1d",
    "av1",
    "libaom-av1",
    "vp6",
    "vp6f",
    "vp6a",
    "vp8",
    "vp9",
    "libvpx",
    "libvpx-vp9",
    "mpeg1video",
    "mpeg2video",
    "mpegvideo",
    "mpeg4",
    "msmpeg4v1",
    "msmpeg4v2",
    "msmpeg4",
    "h261",
    "h263",
    "h263i",
    "h263p",
    "flv",
    "wmv1",
    "wmv2",
    "wmv3",
    "vc1",
    "prores",
    "dnxhd",
    "cfhd",
    "mjpeg",
    "mjpegb",
    "jpeg2000",
    "dvvideo",
    "ffv1",
    "huffyuv",
    "ffvhuff",
    "utvideo",
    "magicyuv",
    "hap",
    "rawvideo",
    "v210",
    "v410",
    "r210",
    "yuv4",
    "uyvy422",
    "gif",
    "apng",
    "png",
    "webp",
    "bmp",
    "tiff",
    "theora",
    "svq1",
    "svq3",
    "cinepak",
    "qtrle",
    "rpza",
    "rv10",
    "rv20",
    "rv30",
    "rv40",
    "indeo3",
    "indeo4",
    "indeo5",
    "dirac",
    "snow",
    "vvc",
    "libvvdec",
];

const AUDIO: &[&str] = &[
    "aac",
    "aac_fixed",
    "aac_latm",
    "mp1",
    "mp1float",
    "mp2",
    "mp2float",
    "mp3",
    "mp3float",
    "mp3on4",
    "ac3",
    "ac3_fixed",
    "eac3",
    "dca",
    "truehd",
    "mlp",
    "flac",
    "alac",
    "opus",
    "libopus",
    "vorbis",
    "libvorbis",
    "wmav1",
    "wmav2",
    "wmapro",
    "wmalossless",
    "wmavoice",
    "amrnb",
    "amrwb",
    "ape",
    "wavpack",
    "tta",
    "cook",
    "ra_144",
    "ra_288",
    "gsm",
    "gsm_ms",
    "nellymoser",
    "speex",
    "libspeex",
    "atrac3",
    "atrac3p",
    "s302m",
    "dolby_e",
    "qdm2",
    "qdmc",
    "mace3",
    "mace6",
    "sipr",
];

static DEMUXER_LIST: LazyLock<CString> = LazyLock::new(|| CString::new(DEMUXERS).expect("the list above holds no NUL"));

static DECODER_LIST: LazyLock<CString> = LazyLock::new(|| {
    let mut names = Vec::new();
    let mut walk = ptr::null_mut();
    // SAFETY: libav's own way to walk its constant list of codecs.
    while let Some(codec) = unsafe { ffi::av_codec_iterate(&mut walk).as_ref() } {
        // SAFETY: a codec of that list; its name is constant.
        let (decodes, name) = unsafe {
            (
                ffi::av_codec_is_decoder(codec) != 0,
                CStr::from_ptr(codec.name).to_string_lossy().into_owned(),
            )
        };
        if decodes && is_allowed_name(&name) {
            names.push(name);
        }
    }
    CString::new(names.join(",")).expect("names of codecs hold no NUL")
});

fn is_allowed_name(name: &str) -> bool {
    VIDEO.contains(&name) || AUDIO.contains(&name) || name.starts_with("pcm_") || name.starts_with("adpcm_")
}

/// Demuxers, comma-separated.
pub(super) fn demuxers() -> &'static CStr {
    &DEMUXER_LIST
}

/// Decoders built in and allowed, comma-separated.
pub(super) fn decoders() -> &'static CStr {
    &DECODER_LIST
}

/// The decoder for a codec when there is one and it is allowed.
pub(super) fn decoder(codec: ffi::AVCodecID) -> Option<&'static ffi::AVCodec> {
    // SAFETY: null or a constant of libav's.
    let found = unsafe { ffi::avcodec_find_decoder(codec).as_ref() }?;
    // SAFETY: its name is constant.
    let name = unsafe { CStr::from_ptr(found.name) }.to_string_lossy();
    is_allowed_name(&name).then_some(found)
}
