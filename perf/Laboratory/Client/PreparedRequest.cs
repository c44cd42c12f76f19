using System.Text;

namespace Breakwater.Laboratory.Client;

/// <summary>A request's bytes, byte-exact as CernVM-FS 2.11.5 sends them, in memory that does not move.</summary>
internal sealed unsafe class PreparedRequest
{
    private readonly byte[] _bytes;

    private PreparedRequest(string path, string text)
    {
        Path = path;
        Expected = Expectation.Of(path);
        _bytes = GC.AllocateUninitializedArray<byte>(Encoding.ASCII.GetByteCount(text), pinned: true);
        Encoding.ASCII.GetBytes(text, _bytes);
    }

    /// <summary>The URL's path.</summary>
    public string Path { get; }

    /// <summary>What the body has to be.</summary>
    public Expectation Expected { get; }

    /// <summary>First byte.</summary>
    public byte* Pointer => (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0);

    /// <summary>Number of bytes.</summary>
    public int Length => _bytes.Length;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes;

    /// <summary>The bytes, for tests.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>A GET.</summary>
    /// <param name="path">The URL's path.</param>
    /// <param name="host">host:port of the Stratum 1.</param>
    /// <param name="isAbsolute">Absolute-form, as to a proxy; else origin-form, as to a server.</param>
    /// <param name="noCache">With the headers of the retry after a wrong body.</param>
    public static PreparedRequest Get(string path, string host, bool isAbsolute, bool noCache = false)
    {
        var text = new StringBuilder(384)
            .Append("GET ").Append(isAbsolute ? "http://" + host : "").Append(path).Append(" HTTP/1.1\r\n")
            .Append("Host: ").Append(host).Append("\r\nAccept: */*\r\n")
            .Append(isAbsolute ? "Proxy-Connection: Keep-Alive\r\n" : "")
            .Append("Connection: Keep-Alive\r\n")
            .Append(noCache ? "Cache-Control: no-cache\r\nPragma: no-cache\r\n" : "")
            .Append("User-Agent: cvmfs Fuse 2.11.5\r\n\r\n");
        return new PreparedRequest(path, text.ToString());
    }
}
