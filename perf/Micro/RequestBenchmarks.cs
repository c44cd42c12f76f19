using System.Text;
using BenchmarkDotNet.Attributes;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Requests;

namespace Breakwater.Micro;

/// <summary>What it costs to read a request: the target's grammar, and the hit path's scan of a whole head.</summary>
[MemoryDiagnoser]
public class RequestBenchmarks
{
    private static readonly byte[] s_origin =
        Encoding.ASCII.GetBytes("/cvmfs/minios.example.org/data/8d/9834068db389718f64a222c7bf3fd9b4831e3cH");
    private static readonly byte[] s_absolute =
        Encoding.ASCII.GetBytes("http://s1.example.org:8000/cvmfs/minios.example.org/data/8d/9834068db389718f64a222c7bf3fd9b4831e3cH");
    private static readonly byte[] s_head = Encoding.ASCII.GetBytes(
        "GET http://s1.example.org:8000/cvmfs/minios.example.org/data/8d/9834068db389718f64a222c7bf3fd9b4831e3cH HTTP/1.1\r\nHost: "
        + "s1.example.org:8000\r\n"
        + "Accept: */*\r\nProxy-Connection: Keep-Alive\r\nConnection: Keep-Alive\r\nUser-Agent: cvmfs Fuse 2.11.5\r\n\r\n");

    [Benchmark]
    public int ParseOriginForm() => RequestTarget.Parse(s_origin).Path.Length;

    [Benchmark]
    public int ParseAbsoluteForm() => RequestTarget.Parse(s_absolute).Path.Length;

    [Benchmark]
    public int ScanHead()
    {
        RequestHead.Scan(s_head, out RequestHead head);
        return head.Length;
    }
}
