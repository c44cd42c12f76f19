using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.EventLoops.KestrelSide;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// The PROXY protocol on connections that Kestrel itself has accepted; those of the event loops have told their client before. Thread-safe.
/// </summary>
internal sealed class ProxyHeaderMiddleware(Balancers balancers, ParserRefusals refusals, ProxyOptions options)
{
    /// <summary>The connection delegate around the next one.</summary>
    public ConnectionDelegate Wrap(ConnectionDelegate next) => connection =>
        connection is OrdinaryConnection || balancers.AreNoneNaming || connection.RemoteEndPoint is not IPEndPoint sender
            ? next(connection)
            : RunAsync(connection, sender, next);

    private async Task RunAsync(ConnectionContext connection, IPEndPoint sender, ConnectionDelegate next)
    {
        bool isNamed = balancers.Names(sender.Address);
        CancellationToken closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(closing, connection.ConnectionClosed))
        {
            patience.CancelAfter(isNamed ? options.RequestHeadTimeout : ConnectionRules.Idle);
            bool isOver = isNamed
                ? !await TakeHeaderAsync(connection, sender, patience.Token)
                : await BeginsWithHeaderAsync(connection, sender, patience);
            if (isOver)
            {
                return;
            }
        }

        await next(connection);
    }

    /// <summary>Reads the header that must be there. False: it was not, and all is said.</summary>
    private async Task<bool> TakeHeaderAsync(ConnectionContext connection, IPEndPoint sender, CancellationToken patience)
    {
        PipeReader input = connection.Transport.Input;
        bool hasBegun = false;
        while (await ReadAsync(connection, patience) is { } result)
        {
            ReadOnlySequence<byte> buffer = result.Buffer;
            ProxyHeaderScan scan = ProxyHeader.Read(Beginning(buffer), out int length, out IPEndPoint? client);
            if (scan == ProxyHeaderScan.Whole)
            {
                input.AdvanceTo(buffer.GetPosition(length));
                connection.RemoteEndPoint = client ?? sender;
                return true;
            }

            hasBegun |= buffer.Length > 0;
            input.AdvanceTo(buffer.Start, buffer.End);
            if (scan == ProxyHeaderScan.Malformed || result.IsCompleted)
            {
                await SayLastAsync(connection, hasBegun ? refusals.RefuseProxyHeader(sender.Address, isWanted: true) : []);
                return false;
            }
        }

        await SayLastAsync(connection, hasBegun ? refusals.RefuseLateHead(sender.Address) : []);
        return false;
    }

    /// <summary>Looks whether there is a header that must not be there. True: all is said.</summary>
    private async Task<bool> BeginsWithHeaderAsync(ConnectionContext connection, IPEndPoint sender, CancellationTokenSource patience)
    {
        PipeReader input = connection.Transport.Input;
        bool hasBegun = false;
        while (await ReadAsync(connection, patience.Token) is { } result)
        {
            ReadOnlySequence<byte> buffer = result.Buffer;
            byte[] bytes = Beginning(buffer);
            if (ProxyHeader.Begins(bytes))
            {
                input.AdvanceTo(buffer.End);
                await SayLastAsync(connection, refusals.RefuseProxyHeader(sender.Address, isWanted: false));
                return true;
            }

            if (result.IsCompleted || !ProxyHeader.MayBegin(bytes))
            {
                input.AdvanceTo(buffer.Start, buffer.Start);
                return false;
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (!hasBegun)
            {
                hasBegun = true;
                patience.CancelAfter(options.RequestHeadTimeout);
            }
        }

        await SayLastAsync(connection, hasBegun ? refusals.RefuseLateHead(sender.Address) : []);
        return true;
    }

    private static byte[] Beginning(ReadOnlySequence<byte> buffer) =>
        buffer.Slice(0, Math.Min(buffer.Length, ProxyHeader.MaxBytes)).ToArray();

    /// <summary>Reads on. Null: the time is over, the client has left, or the proxy stops.</summary>
    private static async Task<ReadResult?> ReadAsync(ConnectionContext connection, CancellationToken patience)
    {
        try
        {
            return await connection.Transport.Input.ReadAsync(patience);
        }
        catch (Exception e) when (e is OperationCanceledException or ConnectionResetException or ConnectionAbortedException)
        {
            return null;
        }
    }

    private static async Task SayLastAsync(ConnectionContext connection, byte[] answer)
    {
        await connection.Transport.Output.WriteAsync(answer);
        await connection.Transport.Output.CompleteAsync();
    }
}
