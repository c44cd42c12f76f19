using System.Buffers.Binary;
using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>The threads between the kernel and the file system, over a pair of sockets in place of <c>/dev/fuse</c>.</summary>
public sealed class FuseSessionTests : IAsyncLifetime
{
    private const int Hello = 26; // bytes of the file
    private readonly SmallRepository _repository = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly List<string> _said = [];
    private MountedTree _mounted = null!;
    private Socket _kernel = null!;
    private Socket _served = null!;
    private Task _running = null!;
    private ObjectKey _file;

    public Task InitializeAsync()
    {
        _repository.Add(SmallRepository.Row("", CatalogFlags.Directory, 0x41ed));
        _file = _repository.AddFile("/file", [.. Enumerable.Range('a', Hello).Select(i => (byte)i)]);
        _mounted = new MountedTree(_repository, _repository.WriteCatalog());
        _kernel = Bound("kernel");
        _served = Bound("served");
        _kernel.Connect(new UnixDomainSocketEndPoint(_directory.Combine("served")));
        _served.Connect(new UnixDomainSocketEndPoint(_directory.Combine("kernel")));
        _kernel.ReceiveTimeout = (int)Waiting.Hang.TotalMilliseconds;
        var session = new FuseSession(
            (int)_served.Handle, new FileSystem(_mounted.Tree, new Dictionary<string, string>()), _said.Add);
        _running = Task.Factory.StartNew(() => session.Run(2), TaskCreationOptions.LongRunning);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        // An empty message is to a thread what an unmounted file system is.
        _kernel.Send(Array.Empty<byte>());
        _kernel.Send(Array.Empty<byte>());
        await _running.InTimeAsync();
        _kernel.Dispose();
        _served.Dispose();
        _mounted.Dispose();
        _directory.Dispose();
        await _repository.DisposeAsync();
    }

    [Fact]
    public void Request_ForAnAnswer_HasItsNumberItsLengthAndTheAnswer()
    {
        byte[] answer = Ask(KernelRequest.Of(FuseOpcode.GetAttr, 1));
        Assert.Equal((16 + 16 + 88, 0, 77UL), Head(answer));
        Assert.Equal(16 + 16 + 88, answer.Length);
        Assert.Equal(86400UL, BinaryPrimitives.ReadUInt64LittleEndian(answer.AsSpan(16)));
    }

    [Fact]
    public void Request_ThatFails_HasTheNegativeErrorAlone()
    {
        byte[] answer = Ask(KernelRequest.Of(FuseOpcode.GetAttr, 4711));
        Assert.Equal((16, -Errno.NoEntry, 77UL), Head(answer));
        Assert.Equal(16, answer.Length);
    }

    /// <summary>One malformed request is an error that is said, and the next is served.</summary>
    [Fact]
    public void Request_ThatIsMalformed_IsAnErrorAndTheSessionGoesOn()
    {
        Assert.Equal((16, -Errno.InputOutput, 77UL), Head(Ask(KernelRequest.Of(FuseOpcode.Lookup, 1, 1, 2, 3)))); // a name without an end
        Assert.StartsWith("Lookup: ", Assert.Single(_said), StringComparison.Ordinal);
        Assert.Equal((16 + 16 + 88, 0, 77UL), Head(Ask(KernelRequest.Of(FuseOpcode.GetAttr, 1))));
    }

    [Fact]
    public void Request_ToForget_HasNoAnswer()
    {
        ulong file = Lookup("file");
        _kernel.Send(KernelRequest.Forget(file, 1));
        _kernel.Send(KernelRequest.Forget((file, 1), (file, 1)));

        // The next answer is that of the next request, whichever thread takes it.
        Assert.Equal((16 + 64, 0, 77UL), Head(Ask(KernelRequest.Of(FuseOpcode.Init, 0, new byte[64]))));
    }

    [Fact]
    public async Task Read_ThatIsInterrupted_EndsAndTheContentComesAllTheSame()
    {
        ulong file = Lookup("file");
        Gate gate = new();
        _repository.Server.Script(SmallRepository.UrlOf(_file), UpstreamBehaviour.WaitsBeforeHead(gate));
        _kernel.Send(KernelRequest.Read(FuseOpcode.Read, file, 0, 4096));
        await gate.Reached;
        _kernel.Send(KernelRequest.Of(FuseOpcode.Interrupt, 0, BitConverter.GetBytes(4711UL))); // somebody else's
        _kernel.Send(KernelRequest.Of(FuseOpcode.Interrupt, 0, BitConverter.GetBytes(77UL)));
        Assert.Equal((16, -Errno.Interrupted, 77UL), Head(Receive()));

        _kernel.Send(KernelRequest.Read(FuseOpcode.Read, file, 1, 4096));
        gate.Open();
        byte[] answer = Receive();
        Assert.Equal((16 + Hello - 1, 0, 77UL), Head(answer));
        Assert.Equal((byte)'b', answer[16]);
        Assert.Equal(1, _repository.Server.RequestCount(SmallRepository.UrlOf(_file)));
        Assert.Empty(_said);
    }

    private static (int Length, int Error, ulong Unique) Head(byte[] answer) => (
        BinaryPrimitives.ReadInt32LittleEndian(answer),
        BinaryPrimitives.ReadInt32LittleEndian(answer.AsSpan(4)),
        BinaryPrimitives.ReadUInt64LittleEndian(answer.AsSpan(8)));

    private ulong Lookup(string name)
    {
        byte[] answer = Ask(KernelRequest.Of(FuseOpcode.Lookup, 1, [.. System.Text.Encoding.ASCII.GetBytes(name), 0]));
        Assert.Equal((16 + 128, 0, 77UL), Head(answer));
        return BinaryPrimitives.ReadUInt64LittleEndian(answer.AsSpan(16));
    }

    private byte[] Ask(byte[] request)
    {
        _kernel.Send(request);
        return Receive();
    }

    private byte[] Receive()
    {
        byte[] answer = new byte[64 << 10];
        int length = _kernel.Receive(answer);
        return answer[..length];
    }

    private Socket Bound(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_directory.Combine(name)));
        return socket;
    }
}
