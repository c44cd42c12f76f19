using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Heads;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Settings;
using Verdict = Breakwater.Proxy.Caching.Verdict;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// The stored answers that the event loops may give by themselves, by target and host as clients write them. The ordinary way puts one here
/// when it has given it; whoever takes one out asks whether everything that led to it is still so. Why like this:
/// docs/develop/adr/0129-ready-answers.md. Thread-safe; waits for nothing.
/// </summary>
internal sealed class ReadyAnswers(
    HttpPolicy policy, DestinationAccess destinations, HeadShelf heads, FlightTable flights, NamedStore named, TimeProvider time)
{
    /// <summary>
    /// A name may stand in one of so many places: with one alone, of 1,000 names every fifth would be pushed out by another again and
    /// again.
    /// </summary>
    private const int Ways = 4;

    private const int Places = 1 << 12;

    private static readonly HeaderFields s_plain = new();

    private readonly ReadyAnswer?[] _answers = new ReadyAnswer?[Places]; // an element is replaced whole

    /// <summary>The settings of this moment. Whoever will put an answer here takes them before it decides anything.</summary>
    public SettingsInForce Settings => new(policy.Current, destinations.InForce);

    /// <summary>The bodies.</summary>
    public IObjectStore Slices => named.Slices;

    /// <summary>The answer to a plain GET that is still right; null: the ordinary way must look.</summary>
    /// <param name="target">As the client wrote it.</param>
    /// <param name="host">The field <c>Host</c>; it counts only where the target does not name a host.</param>
    /// <param name="now">The time that the answer will tell.</param>
    public ReadyAnswer? Find(ReadOnlySpan<byte> target, ReadOnlySpan<byte> host, DateTimeOffset now)
    {
        host = NamesHost(target) ? default : host;
        int hash = HashOf(target, host);
        foreach (ref ReadyAnswer? place in PlacesOf(hash))
        {
            if (Volatile.Read(ref place) is { } answer && answer.IsFor(hash, target, host))
            {
                return IsStillSo(answer, now) ? answer : null;
            }
        }

        return null;
    }

    /// <summary>
    /// May an answer that is about to be given become ready, and is it not yet? Cheap: hits of the ordinary way ask each time.
    /// </summary>
    /// <param name="exchange">The request.</param>
    /// <param name="head">The stored answer.</param>
    /// <param name="given">How it was asked for.</param>
    /// <param name="now">The time of the answer.</param>
    public bool Wants(Exchange exchange, StoredHead head, ReadyRequest given, DateTimeOffset now) =>
        head.Status == StatusCodes.Status200OK && head.Length is > 0 and <= BodySlice.SizeBytes && exchange.Digest is null
        && head.HereFor == TimeSpan.Zero && head.VaryValues.All(vary => vary.Value is null)
        && given.Target.Length + given.Host.Length <= ReadyAnswer.MaxNameBytes
        && Find(given.TargetBytes, given.HostBytes, now) is null;

    /// <summary>Makes an answer ready that is wanted, if the next plain GET would get the same.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="head">The stored answer.</param>
    /// <param name="given">How it was asked for, and the settings before anything was decided.</param>
    /// <param name="pieces">The head that is sent.</param>
    /// <param name="now">The time of the answer.</param>
    public void Put(Exchange exchange, StoredHead head, ReadyRequest given, ReadyHead pieces, DateTimeOffset now)
    {
        string uri = exchange.Target.Uri;

        // The mark first: if the head is replaced from now on, this answer is never given.
        if (!heads.TryMark(uri, out HeadMark mark) || heads.Find(uri) is not { } document || document.Find(s_plain) is not { } stored
            || !stored.IsSameAs(head) || Reuse.Judge(stored, s_plain, exchange.Rule, now) != Verdict.Fresh)
        {
            return;
        }

        byte[][] varying = [.. document.Variants.SelectMany(one => one.VaryValues).Select(vary => vary.Key).Distinct()
            .Select(Encoding.Latin1.GetBytes)];
        if (varying.Sum(name => name.Length) > ReadyAnswer.MaxNameBytes)
        {
            return;
        }

        byte[] target = given.TargetBytes;
        byte[] host = given.HostBytes;
        string flight = FlightTable.NameOf(uri, document.Newest, s_plain);
        int hash = HashOf(target, host);
        Volatile.Write(ref PlaceFor(hash, target, host), new ReadyAnswer
        {
            Hash = hash,
            Target = target,
            Host = host,
            TargetText = given.Target,
            Upstream = exchange.Target.Upstreams[0].Authority,
            Settings = given.Settings,
            Mark = mark,
            FlightName = flight,
            SiteFlightName = FlightTable.NameOfSite(flight),
            Varying = varying,
            Slice = BodySlice.KeyOf(head.BodyId, 0),
            Length = head.Length!.Value,
            Head = pieces,
            ReceivedAt = head.ReceivedAt,
            AgeAtArrival = Freshness.AgeAtArrival(head, now),
            Lifetime = Freshness.Lifetime(head, exchange.Rule, now),
            MadeAt = now,
            MadeTimestamp = time.GetTimestamp(),
        });
    }

    /// <summary>Is all that led to it as it was?</summary>
    private bool IsStillSo(ReadyAnswer answer, DateTimeOffset now) => answer.MayBeUsed(now, time.GetElapsedTime(answer.MadeTimestamp))
        && ReferenceEquals(answer.Settings.Http, policy.Current)
        && ReferenceEquals(answer.Settings.Destinations, destinations.InForce)
        && heads.IsCurrent(answer.Mark)
        && !flights.TryFind(answer.FlightName, out _) && !flights.TryFind(answer.SiteFlightName, out _);

    private static bool NamesHost(ReadOnlySpan<byte> target) => target.IsEmpty || target[0] != (byte)'/';

    private static int HashOf(ReadOnlySpan<byte> target, ReadOnlySpan<byte> host)
    {
        var hash = default(HashCode);
        hash.AddBytes(target);
        hash.AddBytes(host);
        return hash.ToHashCode();
    }

    private Span<ReadyAnswer?> PlacesOf(int hash) => _answers.AsSpan((hash & ((Places / Ways) - 1)) * Ways, Ways);

    /// <summary>Where an answer goes: in the place of the one of its name, else in an empty one, else in that of the oldest.</summary>
    private ref ReadyAnswer? PlaceFor(int hash, ReadOnlySpan<byte> target, ReadOnlySpan<byte> host)
    {
        Span<ReadyAnswer?> places = PlacesOf(hash);
        int chosen = 0;
        DateTimeOffset oldest = DateTimeOffset.MaxValue;
        for (int i = 0; i < places.Length; i++)
        {
            ReadyAnswer? there = Volatile.Read(ref places[i]);
            if (there is not null && there.IsFor(hash, target, host))
            {
                return ref places[i];
            }

            DateTimeOffset madeAt = there?.MadeAt ?? DateTimeOffset.MinValue;
            (chosen, oldest) = madeAt < oldest ? (i, madeAt) : (chosen, oldest);
        }

        return ref places[chosen];
    }
}
