using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Breakwater.Mount;

/// <summary>The threads that read requests from <c>/dev/fuse</c> and write answers.</summary>
internal sealed unsafe class FuseSession(int descriptor, FileSystem fileSystem, Action<string> log)
{
    private const int RequestBytes = 128 << 10;
    private readonly ConcurrentDictionary<ulong, CancellationTokenSource> _running = new();

    /// <summary>Serves until the file system is unmounted.</summary>
    public void Run(int threads)
    {
        List<Thread> all = [];
        for (int i = 0; i < threads; i++)
        {
            var thread = new Thread(Serve, 512 << 10);
            thread.Start();
            all.Add(thread);
        }

        all.ForEach(thread => thread.Join());
    }

    private void Serve()
    {
        byte* request = (byte*)NativeMemory.Alloc(RequestBytes);
        byte* answer = (byte*)NativeMemory.Alloc(16 + FileSystem.MaxAnswerBytes);
        while (true)
        {
            nint length = Native.Read(descriptor, request, RequestBytes);
            if (length < 0 && Marshal.GetLastPInvokeError() is Errno.Interrupted or 11 or Errno.NoEntry)
            {
                continue;
            }

            if (length < FileSystem.HeadBytes)
            {
                break; // unmounted
            }

            Handle(new ReadOnlySpan<byte>(request, (int)length), answer);
        }

        NativeMemory.Free(request);
        NativeMemory.Free(answer);
    }

    private void Handle(ReadOnlySpan<byte> request, byte* answer)
    {
        var opcode = (FuseOpcode)BinaryPrimitives.ReadUInt32LittleEndian(request[4..]);
        ulong unique = BinaryPrimitives.ReadUInt64LittleEndian(request[8..]);
        if (opcode == FuseOpcode.Interrupt)
        {
            if (_running.TryGetValue(BinaryPrimitives.ReadUInt64LittleEndian(request[FileSystem.HeadBytes..]), out var running))
            {
                running.Cancel();
            }

            return;
        }

        var cancellation = opcode == FuseOpcode.Read ? new CancellationTokenSource() : null; // only a read waits with a token
        if (cancellation is not null)
        {
            _running[unique] = cancellation;
        }

        int error;
        int length = 0;
        try
        {
            var to = new Span<byte>(answer + 16, FileSystem.MaxAnswerBytes);
            error = fileSystem.Answer(request, to, out length, cancellation?.Token ?? CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            error = Errno.Interrupted;
        }
#pragma warning disable CA1031 // One request that meets a fault must not take the machine's root away.
        catch (Exception e)
        {
            log($"{opcode}: {e}");
            error = Errno.InputOutput;
        }
#pragma warning restore CA1031

        _running.TryRemove(unique, out _);
        if (opcode is FuseOpcode.Forget or FuseOpcode.BatchForget)
        {
            return; // these have no answer
        }

        length = error == 0 ? 16 + length : 16;
        *(uint*)answer = (uint)length;
        *(int*)(answer + 4) = -error;
        *(ulong*)(answer + 8) = unique;
        _ = Native.Write(descriptor, answer, length);
    }
}
