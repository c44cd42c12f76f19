using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Breakwater.Laboratory.Net;
using Breakwater.Laboratory.Stratum1;

namespace Breakwater.Storm.Limit;

/// <summary>
/// What a server of these bytes could reach at most here: epoll loops that write a prepared answer for each request, and do nothing else.
/// It has no store, checks nothing and logs nothing; an answer that it lacks is fetched once, while its loop waits.
/// </summary>
internal sealed class LimitServer : IDisposable
{
    private readonly ConcurrentDictionary<string, byte[]> _answers = new();
    private readonly HttpClient _upstream;
    private readonly List<(EventLoop Loop, Thread Thread, int Fd)> _loops = [];

    /// <summary>Listens on a loopback port and serves at once.</summary>
    /// <param name="port">Shared by all loops.</param>
    /// <param name="upstream">Whom to fetch from what is not there yet.</param>
    /// <param name="threads">Number of loops.</param>
    public LimitServer(int port, IPEndPoint upstream, int threads)
    {
        _upstream = new HttpClient { BaseAddress = new Uri($"http://{upstream}") };
        for (int i = 0; i < threads; i++)
        {
            var loop = new EventLoop();
            int fd = Native.Listen(new IPEndPoint(IPAddress.Loopback, port), isShared: true);
            loop.Add(new LimitListener(fd, loop, this), Native.EpollIn);
            var thread = new Thread(loop.Run) { IsBackground = true, Name = "limit" };
            thread.Start();
            _loops.Add((loop, thread, fd));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((EventLoop loop, Thread thread, int fd) in _loops)
        {
            loop.Stop();
            thread.Join();
            _ = Native.Close(fd);
            loop.Dispose();
        }

        _upstream.Dispose();
    }

    /// <summary>Head and body for a path, in memory that does not move.</summary>
    internal byte[] Answer(ReadOnlySpan<char> path) =>
        _answers.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(path, out byte[]? known) ? known : Fetch(path.ToString());

    private byte[] Fetch(string path)
    {
        byte[] body = _upstream.GetByteArrayAsync(path).GetAwaiter().GetResult();
        byte[] head = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {body.Length}\r\n\r\n");
        byte[] answer = GC.AllocateUninitializedArray<byte>(head.Length + body.Length, pinned: true);
        head.CopyTo(answer, 0);
        body.CopyTo(answer, head.Length);
        return _answers.GetOrAdd(path, answer);
    }
}
