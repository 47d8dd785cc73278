//! libnvcuvid: parsers and decoders.
