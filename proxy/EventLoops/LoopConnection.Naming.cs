using System.Net;
using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.EventLoops;

/// <summary>Connections of balancers that say by the PROXY protocol whose they are, before anything is decided about them.</summary>
internal sealed partial class LoopConnection
{
    /// <summary>Takes the header from the beginning of these bytes, once it is whole. Returns how many bytes are dealt with.</summary>
    private int TakeName(ReadOnlySpan<byte> bytes)
    {
        switch (ProxyHeader.Read(bytes, out int length, out IPEndPoint? said))
        {
            case ProxyHeaderScan.Incomplete:
                _isPartial = true; // its time runs since the connection was accepted
                return 0;
            case ProxyHeaderScan.Malformed:
                RefuseProxyHeader();
                return bytes.Length;
        }

        _isPartial = false;
        _since = loop.Now;
        _client = said ?? _client;
        if (!listener.TryName(_client.Address))
        {
            Close();
            return bytes.Length;
        }

        _isUnnamed = false;
        LendUnlessServed(bytes[length..]);
        return _state == State.Reading ? length : bytes.Length;
    }

    /// <summary>It must begin with a header and does not; or it has one, and must not.</summary>
    private void RefuseProxyHeader() => SayLast(listener.Responder.RefuseProxyHeader(_client.Address, isWanted: _isUnnamed));
}
