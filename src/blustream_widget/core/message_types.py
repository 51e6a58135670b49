"""Numbers of the messages between a viewer and the server: each is written here alone."""

from __future__ import annotations

from enum import IntEnum


class MessageType(IntEnum):
    """Numbers of all messages. 0x30 to 0x34 are those of the roadmap."""

    HELLO = 0x01
    WELCOME = 0x02
    ERROR = 0x03
    PING = 0x04
    PONG = 0x05
    ACK = 0x06
    KEYFRAME = 0x07
    REPORT = 0x08
    STATUS = 0x09
    ENDED = 0x0A
    STREAM = 0x0B
    RTC_OFFER = 0x10
    RTC_ANSWER = 0x11
    RTC_STATS = 0x12
    STATE = 0x20
    VIEW_SYNC = 0x21
    INFO = 0x22
    PALETTE = 0x23
    SEGMENTATIONS = 0x24
    CHANGE_SLICE = 0x30
    ZOOM_PAN = 0x31
    WINDOW_LEVEL = 0x32
    ANNOTATION = 0x33
    MEASUREMENT = 0x34
    PROBE = 0x40
    VALUE = 0x41
    EDIT_LABELS = 0x70
    LABELS_EDITED = 0x71
    CANCEL_EDIT = 0x78
    EDIT_PROGRESS = 0x79
    SNAP = 0x88
    TRACK = 0x89
    GRID = 0x8A
    RECORD = 0xA0
    RECORDING = 0xA1
    JOIN_CALL = 0xA2
    LEAVE_CALL = 0xA3
    CALL = 0xA4
    CALL_SIGNAL = 0xA5
    CALL_SOUND = 0xA6
    ACK_PACE = 0xA8
    PUBLISHED = 0xB4
    RECORD_VOICE = 0xB8
    VOICE = 0xB9
    CALL_MEDIA = 0xBA
    DRIVE_REPLAY = 0xC0
    REPLAY = 0xC1
    WANT_SAID = 0xC2
    SAID = 0xC3
    JOIN = 0x90
    JOINED = 0x91
    PEOPLE = 0x92
    OPEN_LINK = 0x93
    LINK_OPENED = 0x94
    STOP_SHARING = 0x95
    MANAGE = 0x96
    CONTROL = 0x97
    CHAT = 0x98
    POINTER = 0x99
    GUEST_PAGE = 0x9A
    LOOK_AROUND = 0x9B
    VIEW_LINK = 0x9C
    OPEN_VIEW = 0x9D
    EXPORTED = 0x9E
