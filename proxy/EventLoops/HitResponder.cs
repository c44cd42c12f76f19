using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// Answers hits with one gathered send straight from the mapped segment files: the bytes are copied once, by the kernel, into the socket. A
/// short object that is to be checked again is sent from the memory where that was done. Only bytes that are in the page cache are answered
/// here, so that no thread of the sockets waits for a disk. Thread-safe.
/// </summary>
internal sealed unsafe class HitResponder(
    IObjectStore store, RepositoryRoutes repositories, DocumentCache documents, HeadEncoder heads, BootObserver boots,
    RequestRecorder recorder, ProxyCounters counters, TimeProvider time,
    Access.Admission admission, FetchCoordinator fetches, LookAhead lookAhead, LoopGuard loops)
{
    /// <summary>Longer objects go the ordinary way: 64 MiB are 256 parts, and chunks of CernVM-FS are 16 MiB at most.</summary>
    private const long MaxObjectBytes = 64L << 20;

    /// <summary>Parts of a gathered send: 64 MiB in parts of 256 KiB, and the head.</summary>
    private const int MaxPieces = 258;

    /// <summary>Documents beyond this go the ordinary way.</summary>
    private const int MaxDocumentBytes = 64 << 10;

    private readonly ResidentRuns _resident = new();

    /// <summary>A <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>Joins a plain GET of an object that the store lacks to its fetch. Null: Kestrel's.</summary>
    public JoinedRequest? TryJoin(in RequestHead head, IPAddress client, string connection)
    {
        // A span of the request's own is the ordinary path's, and so is what must be asked on with the proxies that it came through.
        if (head.IsHead || head.IsForwarded || Telemetry.Spans.HasListeners() || !admission.AllowsAtOnce(client))
        {
            return null;
        }

        RequestTarget target = RequestTarget.Parse(head.Target);
        if (target.Kind != TargetKind.Object || !repositories.TryFind(target.Fqrn, out RepositoryRoute? repository)
            || store.Contains(target.Key))
        {
            return null;
        }

        bool mayBoot = BootClient.MayBoot(head.UserAgent);
        if (mayBoot)
        {
            boots.Observe(repository, target.Key, client, connection);
        }

        string? hint = target.Authority.Length == 0 ? null : Encoding.ASCII.GetString(target.Authority);
        FetchTicket ticket =
            fetches.JoinOrStart(FetchOrder.Of(target.Key, repository, Encoding.ASCII.GetString(target.Path), hint, client));
        ticket.Lease?.Dispose();
        if (ticket.Follower is not { } follower)
        {
            return null;
        }

        if (follower.IsLeader && mayBoot)
        {
            lookAhead.Missed(repository, target.Key);
        }

        return new JoinedRequest(target.Key, repository.Fqrn, mayBoot ? connection : null, follower, time);
    }

    /// <summary>Is this the request that was joined?</summary>
    public static bool IsFor(in RequestHead head, JoinedRequest joined) =>
        !head.IsHead && RequestTarget.Parse(head.Target) is { Kind: TargetKind.Object } target && target.Key == joined.Key;

    /// <summary>
    /// Begins the answer of a joined request whose object is known to take long: what is there goes out before the rest has come. Null: not
    /// so, it is Kestrel's. The request passes over.
    /// </summary>
    public GrowingSend? TryStream(JoinedRequest joined)
    {
        // Looked at first: it may move the follower to another body, whose length is then the one to promise.
        if (!IsReadable(joined.Follower) || joined.Follower.Length is not (> 0 and <= MaxObjectBytes)
            || joined.Follower.PromiseLength() is not { } length)
        {
            return null;
        }

        Span<byte> head = stackalloc byte[HeadEncoder.MaxBytes];
        int headBytes = heads.WriteObject(head, length, joined.Result, joined.Follower.IsToBeStored);
        joined.AnsweredAt = time.GetTimestamp();
        return new GrowingSend(joined, head[..headBytes].ToArray(), length, _resident);
    }

    private static bool IsReadable(FetchFollower follower)
    {
        try
        {
            return follower.Look(0) == FollowState.Readable;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Notes how a streamed answer ended.</summary>
    /// <param name="send">The answer.</param>
    /// <param name="client">The client's address.</param>
    /// <param name="cut">Null: everything went out. Else whose doing the end was.</param>
    public void RecordStreamed(GrowingSend send, IPAddress client, RequestResult? cut)
    {
        JoinedRequest joined = send.Request;
        recorder.Record(new RequestRecord
        {
            StartedAt = joined.StartedAt,
            AnsweredAt = joined.AnsweredAt,
            EndedAt = time.GetTimestamp(),
            Result = cut ?? joined.Result,
            Source = RequestRecord.SourceOf(joined.Result, touchedDisk: false),
            Upstream = joined.Follower.Upstream,
            Method = RequestMethod.Get,
            Status = StatusCodes.Status200OK,
            BytesSent = send.Sent,
            Key = joined.Key,
            HasKey = true,
            Fqrn = joined.Fqrn,
            Client = client,
            Connection = joined.Connection,
        });
    }

    /// <summary>Answers the request if it is a hit, or has become one by waiting (<paramref name="joined"/>).</summary>
    /// <param name="head">The request.</param>
    /// <param name="socket">The client's socket, held open by the caller; it does not block.</param>
    /// <param name="client">The client's address.</param>
    /// <param name="connection">Identity of the connection.</param>
    /// <param name="pending">Takes what the socket does not take at once.</param>
    /// <param name="joined">What the connection has waited for, or null.</param>
    public HitAnswer TryAnswer(in RequestHead head, int socket, IPAddress client, string connection, PendingSend pending,
        JoinedRequest? joined)
    {
        if (!admission.AllowsAtOnce(client) || (head.IsForwarded && loops.MayBeLoop(head.Via, head.CdnLoop)))
        {
            return HitAnswer.None;
        }

        long startedAt = time.GetTimestamp();
        RequestTarget target = RequestTarget.Parse(head.Target);
        if (target.Kind is not (TargetKind.Object or TargetKind.Document)
            || !repositories.TryFind(target.Fqrn, out RepositoryRoute? repository))
        {
            return HitAnswer.None;
        }

        joined = joined is not null && target.Kind == TargetKind.Object && !head.IsHead && target.Key == joined.Key ? joined : null;
        HitAnswer answer = target.Kind == TargetKind.Object
            ? TryAnswerObject(target.Key, head.IsHead, joined?.Result ?? RequestResult.Hit, socket, pending, out long bodyBytes)
            : TryAnswerDocument(repository, target.Path, head.IsHead, socket, pending, out bodyBytes);
        if (answer != HitAnswer.None)
        {
            bool mayBoot = BootClient.MayBoot(head.UserAgent);
            if (joined is null && mayBoot && (target.Kind == TargetKind.Object || target.Path.SequenceEqual(".cvmfspublished"u8)))
            {
                boots.Observe(repository, target.Kind == TargetKind.Object ? target.Key : null, client, connection);
            }

            RequestRecord record =
                ToRecord(target, repository, head.IsHead, client, mayBoot ? connection : null, startedAt, bodyBytes, joined);
            if (answer == HitAnswer.Sent)
            {
                recorder.Record(record);
            }
            else
            {
                (pending.Record, pending.Repository) = (record, repository);
            }
        }

        return answer;
    }

    private HitAnswer TryAnswerObject(in ObjectKey key, bool isHead, RequestResult result, int socket, PendingSend pending,
        out long bodyBytes)
    {
        bodyBytes = 0;
        if (!store.TryReopen(key, ref pending.Lease))
        {
            return HitAnswer.None;
        }

        ObjectLease lease = pending.Lease;
        bool isKept = false;
        try
        {
            IoVector* pieces = stackalloc IoVector[MaxPieces];
            int count = 1;
            if (!isHead && !TryGather(lease, pieces, ref count))
            {
                return HitAnswer.None;
            }

            byte* start = stackalloc byte[HeadEncoder.MaxBytes];
            int headBytes = heads.WriteObject(new Span<byte>(start, HeadEncoder.MaxBytes), lease.Length, result);
            pieces[0] = new IoVector { Base = start, Length = (nuint)headBytes };
            bool isFromFile = !isHead && PendingSend.IsFromFile(lease.Length) && lease.TryGetFileRange(0, out _);
            if (!TrySend(socket, pieces, isFromFile ? 1 : count, isFromFile, out long sent))
            {
                return HitAnswer.None;
            }

            bodyBytes = isHead ? 0 : lease.Length;
            if (sent == headBytes + bodyBytes)
            {
                return HitAnswer.Sent;
            }

            isKept = bodyBytes > 0;
            lease.Unmap();
            pending.Keep(new ReadOnlySpan<byte>(start, headBytes)[(int)Math.Min(sent, headBytes)..], Math.Max(0, sent - headBytes),
                bodyBytes);
            return HitAnswer.Pending;
        }
        finally
        {
            if (!isKept)
            {
                lease.Dispose();
            }
        }
    }

    private bool TryGather(ObjectLease lease, IoVector* pieces, ref int count)
    {
        long length = lease.Length;
        if (length > MaxObjectBytes)
        {
            return false;
        }

        for (long offset = 0; offset < length;)
        {
            if (!lease.TryGetMapped(offset, out MappedRun run) || !_resident.Contains(run) || count == MaxPieces)
            {
                return offset == 0 && TryReadWhole(lease, pieces, ref count);
            }

            pieces[count++] = new IoVector { Base = (byte*)run.Address, Length = (nuint)run.Length };
            offset += run.Length;
        }

        return true;
    }

    private static bool TryReadWhole(ObjectLease lease, IoVector* pieces, ref int count)
    {
        try
        {
            if (!lease.TryReadWhole(out ReadOnlySpan<byte> bytes))
            {
                return false;
            }

            // Pinned memory of this thread, which sends before it reads anything else.
            pieces[count++] =
                new IoVector { Base = (byte*)Unsafe.AsPointer(in bytes.GetPinnableReference()), Length = (nuint)bytes.Length };
            return true;
        }
        catch (IOException)
        {
            // Damaged: the store has forgotten it, the ordinary way fetches it anew.
            return false;
        }
    }

    private HitAnswer TryAnswerDocument(RepositoryRoute repository, ReadOnlySpan<byte> path, bool isHead, int socket, PendingSend pending,
        out long bodyBytes)
    {
        bodyBytes = 0;
        var request = new DocumentRequest(DocumentKind.File, repository, Encoding.ASCII.GetString(path), null);
        if (documents.FindFresh(request) is not { } document || document.Body.Length > MaxDocumentBytes)
        {
            return HitAnswer.None;
        }

        byte* start = stackalloc byte[HeadEncoder.MaxBytes];
        int headBytes = heads.WriteDocument(new Span<byte>(start, HeadEncoder.MaxBytes), document);
        ReadOnlySpan<byte> body = isHead ? default : document.Body.Span;
        fixed (byte* bodyStart = body)
        {
            IoVector* pieces = stackalloc IoVector[2];
            pieces[0] = new IoVector { Base = start, Length = (nuint)headBytes };
            pieces[1] = new IoVector { Base = bodyStart, Length = (nuint)body.Length };
            if (!TrySend(socket, pieces, 2, hasMore: false, out long sent))
            {
                return HitAnswer.None;
            }

            bodyBytes = body.Length;
            if (sent == headBytes + body.Length)
            {
                return HitAnswer.Sent;
            }

            byte[] rest = new byte[headBytes + body.Length - sent];
            ReadOnlySpan<byte> headRest = new ReadOnlySpan<byte>(start, headBytes)[(int)Math.Min(sent, headBytes)..];
            headRest.CopyTo(rest);
            body[(int)Math.Max(0, sent - headBytes)..].CopyTo(rest.AsSpan(headRest.Length));
            pending.Keep(rest, 0, 0);
            return HitAnswer.Pending;
        }
    }

    /// <summary>False: nothing went out, let the ordinary way find out why.</summary>
    private static bool TrySend(int socket, IoVector* pieces, int count, bool hasMore, out long sent)
    {
        try
        {
            sent = SocketSender.Send(socket, pieces, count, hasMore);
            return true;
        }
        catch (SocketException)
        {
            sent = 0;
            return false;
        }
    }

    /// <summary>Notes how an answer ended that did not go out at once.</summary>
    /// <param name="send">The answer; called before it lets go of what is left.</param>
    /// <param name="cut">Null: everything went out. Else whose doing the end was.</param>
    public void RecordEnd(PendingSend send, RequestResult? cut)
    {
        RequestRecord record = send.Record;
        recorder.Record(record
            with
        { EndedAt = time.GetTimestamp(), Result = cut ?? record.Result, BytesSent = cut is null ? record.BytesSent : send.Sent });
        send.Record = default;
    }

    /// <summary>
    /// The stored copy of an answer under way is gone or damaged: the same bytes come from a Stratum 1, from where it stands. Null: it must
    /// be cut.
    /// </summary>
    public GrowingSend? TryResume(PendingSend send, IPAddress client)
    {
        if (!send.IsResumable)
        {
            return null;
        }

        RequestRecord record = send.Record;
        FetchTicket ticket =
            fetches.JoinOrStart(FetchOrder.Of(record.Key, send.Repository!, record.Key.ToPath(), null, client));
        ticket.Lease?.Dispose();
        if (ticket.Follower is not { } follower)
        {
            return null;
        }

        follower.PromiseLength(record.BytesSent);
        follower.SkipTo(send.Sent);
        var joined =
            new JoinedRequest(record.Key, record.Fqrn!, record.Connection, follower, time)
            {
                StartedAt = record.StartedAt,
                AnsweredAt = record.AnsweredAt
            };
        return new GrowingSend(joined, [], record.BytesSent, _resident, send.Sent);
    }

    private RequestRecord ToRecord(in RequestTarget target, RepositoryRoute repository, bool isHead, IPAddress client, string? connection,
        long startedAt, long bodyBytes, JoinedRequest? joined)
    {
        RequestResult result = joined?.Result ?? RequestResult.Hit;
        if (joined is null)
        {
            counters.CountHitPathAnswer();
        }

        long now = time.GetTimestamp();
        return new RequestRecord
        {
            StartedAt = joined?.StartedAt ?? startedAt,
            AnsweredAt = now,
            EndedAt = now,
            Result = result,
            Source = RequestRecord.SourceOf(result, touchedDisk: false),
            Upstream = joined?.Follower.Upstream,
            Method = isHead ? RequestMethod.Head : RequestMethod.Get,
            Status = StatusCodes.Status200OK,
            BytesSent = bodyBytes,
            Key = target.Key,
            HasKey = target.Kind == TargetKind.Object,
            Fqrn = repository.Fqrn,
            Client = client,
            Connection = connection,
            Target = target.Kind == TargetKind.Object ? null : $"/cvmfs/{repository.Fqrn}/{Encoding.ASCII.GetString(target.Path)}",
        };
    }
}
