using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>The recorded boots of minios.example.org and what they mean.</summary>
internal static class MiniOs
{
    public const string Name = "minios.example.org";

    public static readonly Fqrn Fqrn = Fqrn.Parse(Name);

    public static Fixture Fixture { get; } = Fixture.Load(Name);

    public static Manifest Manifest(int revision) =>
        Breakwater.Repositories.Manifest.Parse(FixtureRepository.ReadFixtureFile($"minios/cvmfspublished.v{revision}")).Value!;

    public static Task<History> History(int revision) => Fixture.ReadHistory(Manifest(revision).History!.Value);

    public static CatalogTree Tree(int revision) => new(Manifest(revision).RootCatalog, Fixture.OpenCatalog);

    /// <summary>The objects of the recorded boot, in order.</summary>
    public static List<ObjectKey> BootObjects(int revision)
    {
        List<ObjectKey> keys = [];
        foreach (string url in FixtureRepository.BootRequests(revision))
        {
            if (FixtureRepository.TryParseObjectPath(url.AsSpan()[$"/cvmfs/{Name}/".Length..], out ObjectKey key))
            {
                keys.Add(key);
            }
        }

        return keys;
    }

    /// <summary>The recorded boot as the proxy sees it, at a steady pace.</summary>
    public static IEnumerable<ObservedRequest> Replay(int revision, string client, string connection, TimeSpan start, TimeSpan pace)
    {
        TimeSpan at = start;
        foreach (string url in FixtureRepository.BootRequests(revision))
        {
            string path = url[$"/cvmfs/{Name}/".Length..];
            at += pace;
            if (path == ".cvmfspublished")
            {
                yield return new ObservedRequest(Fqrn, null, IPAddress.Parse(client), connection, at);
            }
            else if (FixtureRepository.TryParseObjectPath(path, out ObjectKey key))
            {
                yield return new ObservedRequest(Fqrn, key, IPAddress.Parse(client), connection, at);
            }
        }
    }

    public static async Task<BootProfile> Profile(RecordedBoot boot, int revision) =>
        (await BootProfiler.MapAsync(boot, Tree(revision), boot.HasReadHistory ? await History(revision) : null)).Value!;

    public static async Task<List<ObjectKey>> Resolve(WorkingSet set, int revision) =>
        [.. (await ResolvedSet.ResolveAsync(set, Tree(revision), Manifest(revision))).Value!.Objects.Select(item => item.Key)];

    public static IEnumerable<string> Sorted(IEnumerable<ObjectKey> keys) =>
        keys.Select(key => key.ToString()).Order(StringComparer.Ordinal);
}
