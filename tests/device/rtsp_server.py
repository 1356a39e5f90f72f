"""An RTSP camera for the tests: prints its address, then runs until killed.

Runs under the system's Python, whose GStreamer bindings have no wheel.
"""

import importlib

gi = importlib.import_module("gi")
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
GLib = importlib.import_module("gi.repository.GLib")
Gst = importlib.import_module("gi.repository.Gst")
GstRtspServer = importlib.import_module("gi.repository.GstRtspServer")

PICTURES = (
    "( videotestsrc is-live=true pattern=snow ! "
    "video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! "
    "jpegenc ! rtpjpegpay name=pay0 )"
)


def main() -> None:
    """Serve one camera on a free port of this machine."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PICTURES)
    factory.set_shared(True)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    print(f"rtsp://127.0.0.1:{server.get_bound_port()}/camera", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
