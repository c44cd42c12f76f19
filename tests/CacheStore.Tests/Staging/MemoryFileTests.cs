using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Staging;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests.Staging;

/// <summary>What was sent from staged memory stays as it was sent, whatever comes after it.</summary>
public sealed partial class MemoryFileTests
{
    private const int Sendable = ObjectLease.LeastBytesFromFile;

    private readonly StagingBudget _budget = new(1 << 30);

    [Fact]
    public void Buffers_OfAnySize_ShareNoByteOfTheirFiles()
    {
        int[] sizes = [.. Enumerable.Range(0, 60).Select(i => Sendable + (i * 3_277 % (PartSize.Full - Sendable + 1)))];
        StagedBuffer[] buffers = [.. sizes.Select(size => new StagedBuffer(size, _budget))];
        for (int i = 0; i < buffers.Length; i++)
        {
            Assert.Equal(sizes[i], buffers[i].Capacity);
            buffers[i].GetSpan().Fill((byte)(i + 1));
        }

        for (int i = 0; i < buffers.Length; i++)
        {
            byte[] read = new byte[sizes[i] - 5];
            Assert.True(buffers[i].TryGetFileRange(5, read.Length, out ObjectFileRange range));
            Assert.Equal(read.Length, range.Length);
            Assert.Equal(read.Length, RandomAccess.Read(range.Handle, read, range.FileOffset));
            Assert.True(read.AsSpan().IndexOfAnyExcept((byte)(i + 1)) < 0);
            Assert.True(buffers[i].GetSpan().IndexOfAnyExcept((byte)(i + 1)) < 0);
        }

        Array.ForEach(buffers, static buffer => buffer.Release());
    }

    [Theory]
    [InlineData(Sendable - 1, false)]
    [InlineData(Sendable, true)]
    [InlineData(PartSize.Full, true)]
    public void Buffer_OfALength_IsInAFileFromTheLeastOn(int bytes, bool isInFile)
    {
        var buffer = new StagedBuffer(bytes, _budget);
        Assert.Equal(isInFile, buffer.TryGetFileRange(0, bytes, out _));
        buffer.Release();
    }

    [Fact]
    public unsafe void File_WhoseLastPartIsLetGo_IsClosedAndNoneBefore()
    {
        MemoryFile file = MemoryFile.TryMake()!;
        Assert.True(file.TryTake(PartSize.Full, out byte* first));
        Assert.True(file.TryTake(MemoryFile.SizeBytes - PartSize.Full, out byte* second));
        Assert.False(file.TryTake(1, out _));
        Assert.Equal((0, PartSize.Full), (file.OffsetOf(first), file.OffsetOf(second)));

        file.Release();
        file.Release();
        Assert.False(file.Handle.IsClosed);
        first[0] = 1; // still mapped
        file.Release();
        Assert.True(file.Handle.IsClosed);
    }

    [Fact]
    public unsafe void File_ThatHasGone_GivesNoPart()
    {
        MemoryFile file = MemoryFile.TryMake()!;
        file.Release();
        Assert.True(file.Handle.IsClosed);
        Assert.False(file.TryTake(1, out _));
    }

    [Fact]
    public unsafe void Files_OfWhichNothingIsStaged_AreNoMore()
    {
        var memory = new StagingMemory(TimeProvider.System);
        List<MemoryFile> held = [];
        for (int i = 0; i < 9; i++)
        {
            Assert.True(memory.TryTakeSendable(PartSize.Full, out MemoryFile? file, out _));
            held.Add(file!);
        }

        Assert.Equal(9 * PartSize.Full / MemoryFile.SizeBytes + 1, held.Distinct().Count());
        Assert.All(held, static file => Assert.False(file.Handle.IsClosed));
        held.ForEach(static file => file.Release());
        Assert.All(held, static file => Assert.True(file.Handle.IsClosed));
        Assert.True(memory.TryTakeSendable(PartSize.Full, out MemoryFile? next, out _));
        next!.Release();
    }

    [Fact]
    public async Task Bytes_ThatAClientHasYetToRead_AreThoseSentWhenTheirMemoryIsGone()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var sender = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { SendBufferSize = 1 << 20 };
        await sender.ConnectAsync(listener.LocalEndPoint!);
        using Socket client = await listener.AcceptAsync().InTimeAsync();

        var buffer = new StagedBuffer(PartSize.Full, _budget);
        buffer.GetSpan().Fill(0xA5);
        Assert.True(buffer.TryGetFileRange(0, PartSize.Full, out ObjectFileRange range));
        long offset = range.FileOffset;
        nint sent = SendFile((int)sender.Handle, (int)range.Handle.DangerousGetHandle(), ref offset, PartSize.Full);
        Assert.Equal(PartSize.Full, sent); // into the socket: the client has read nothing
        buffer.Release();

        // As much again as the store may stage: every place where the sent bytes could have been is written.
        for (int i = 0; i < 400; i++)
        {
            var other = new StagedBuffer(PartSize.Full, _budget);
            other.GetSpan().Fill(0x5A);
            other.Release();
        }

        byte[] read = new byte[PartSize.Full];
        for (int got = 0; got < read.Length;)
        {
            int n = await client.ReceiveAsync(read.AsMemory(got), SocketFlags.None).AsTask().InTimeAsync();
            Assert.NotEqual(0, n);
            got += n;
        }

        Assert.True(read.AsSpan().IndexOfAnyExcept((byte)0xA5) < 0);
    }

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    private static partial nint SendFile(int socket, int file, ref long offset, nuint count);
}
