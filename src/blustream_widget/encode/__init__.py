"""From pictures to bytes: H.264 by the first encoder that works here, JPEG, lossless stills."""
