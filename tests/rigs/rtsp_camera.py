"""A network camera: serves numbered JPEGs over RTSP without end, as H.264 or Motion JPEG.

``rtsp_camera.py FOLDER h264|mjpeg [USER PASSWORD]`` prints its address, then runs until killed.
``RTSP_PORT`` names its port; without, it takes a free one. It needs GStreamer's bindings, and so
the system's own Python.
"""

import importlib
import os
import sys
from typing import Any

RATE = 10  # frames a second
ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=4000 ! "
    "rtph264pay name=pay0 config-interval=1",
    "mjpeg": "jpegenc quality=95 ! rtpjpegpay name=pay0",
}


def _library(name: str, version: str) -> Any:
    importlib.import_module("gi").require_version(name, version)
    return importlib.import_module(f"gi.repository.{name}")


def _pipeline(folder: str, codec: str) -> str:
    """From files to packets; RTP carries Motion JPEG of I420 only."""
    pictures = f'multifilesrc location="{folder}/%03d.jpg" loop=true'
    paced = f'caps="image/jpeg,framerate={RATE}/1"'
    decoded = "jpegdec ! videoconvert ! video/x-raw,format=I420"
    return f"( {pictures} {paced} ! {decoded} ! {ENCODERS[codec]} )"


def _guard(rtsp: Any, server: Any, factory: Any, user: str, password: str) -> None:
    """Let in only who gives the password."""
    token = rtsp.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = rtsp.RTSPAuth()
    auth.add_basic(rtsp.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = rtsp.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main(folder: str, codec: str, user: str = "", password: str = "") -> None:
    """Serve on a free port of this machine."""
    gst, rtsp = _library("Gst", "1.0"), _library("GstRtspServer", "1.0")
    gst.init(None)
    server, factory = rtsp.RTSPServer(), rtsp.RTSPMediaFactory()
    server.set_address("127.0.0.1")
    server.set_service(os.environ.get("RTSP_PORT", "0"))
    factory.set_launch(_pipeline(folder, codec))
    factory.set_shared(True)
    if user:
        _guard(rtsp, server, factory, user, password)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    print(f"rtsp://127.0.0.1:{server.get_bound_port()}/camera", flush=True)
    _library("GLib", "2.0").MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
