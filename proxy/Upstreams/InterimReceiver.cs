namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Takes the interim answers (1xx, RFC 9110, 15.2) that an origin sends before the real one, for the client whose request is asked for. It
/// flows with the work that the request causes. Thread-safe.
/// </summary>
/// <param name="send">Sends the head of one to the client.</param>
internal sealed class InterimReceiver(Func<ReadOnlyMemory<byte>, ValueTask> send)
{
    private static readonly AsyncLocal<InterimReceiver?> s_current = new();

    private readonly Lock _gate = new();
    private bool _isClosed;                         // guarded by _gate
    private Task _sending = Task.CompletedTask;     // guarded by _gate

    /// <summary>Of the request for which the present work is done; null: its client gets none.</summary>
    public static InterimReceiver? Current
    {
        get => s_current.Value;
        set => s_current.Value = value;
    }

    /// <summary>Sends one, unless the real answer has begun; then it is dropped.</summary>
    /// <param name="head">Status line and fields, with the empty line.</param>
    public Task SendAsync(ReadOnlyMemory<byte> head)
    {
        lock (_gate)
        {
            return _isClosed ? Task.CompletedTask : _sending = SendAfterAsync(_sending, head);
        }
    }

    /// <summary>The real answer is about to be sent: none comes any more when the task is complete.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
            return _sending;
        }
    }

    private async Task SendAfterAsync(Task before, ReadOnlyMemory<byte> head)
    {
        await before;
        await send(head);
    }
}
