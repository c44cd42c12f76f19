using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>Boots that were seen by several nodes are learned as one set, which all of them have.</summary>
public sealed class SharedBootsTests
{
    private const string Minios = "minios.example.org";

    [Fact]
    public async Task Boots_SeenByThreeNodes_AreOneSetOnAll()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
        await using SiteOfNodes site = await SiteOfNodes.StartAsync(3, [upstream]);
        int owner = site.OwnerOf(Ring.KeyOf(Minios));

        foreach (int node in site.Running)
        {
            SiteBoots boots = site[node].Services.GetRequiredService<SiteBoots>();
            RecordedBoot seen = Boot($"192.0.2.{node + 1}");
            Assert.Equal(node != owner, boots.TryKeep(seen));
            if (node == owner)
            {
                boots.Take(seen);
            }
        }

        await Waiting.UntilAsync(() => site.Running.All(node =>
            site[node].Services.GetRequiredService<WorkingSetStore>().Of(Fqrn.Parse(Minios))
                is [{ Boots: 3, Source: WorkingSetSource.Learned }]));
    }

    [Fact]
    public void Kept_BootsWithoutEnd_AreNineOfARepositoryAndOfSixtyFour()
    {
        var boots = new SiteBoots(new EveryoneElse());
        for (int i = 0; i < 100; i++)
        {
            for (int repository = 0; repository < 100; repository++)
            {
                boots.TryKeep(Boot($"192.0.2.{i}") with { Repository = Fqrn.Parse($"r{repository}.example.org") });
            }
        }

        Assert.Equal(64, boots.Newest().Count);
        Assert.All(boots.Newest().Keys, name => Assert.Equal(9, boots.Of(name).Count));
    }

    [Fact]
    public void BootFile_WrittenAndRead_IsTheSame()
    {
        RecordedBoot boot = Boot("192.0.2.1") with { Id = 7, IsCut = true };

        RecordedBoot read = Assert.Single(BootFile.Read(Fqrn.Parse(Minios), BootFile.Write([boot]))!);

        Assert.Equal((boot.Id, boot.Client, boot.IsCut), (read.Id, read.Client, read.IsCut));
        Assert.Equal(boot.Reads, read.Reads);
        Assert.Null(BootFile.Read(Fqrn.Parse(Minios), "[{\"reads\":[\"nonsense\"]}]"u8));
        Assert.Null(BootFile.Read(Fqrn.Parse(Minios), "{}"u8));
        Assert.Null(BootFile.Read(Fqrn.Parse(Minios), "[null]"u8));
        Assert.Null(BootFile.Read(Fqrn.Parse(Minios), "[{\"reads\":[null]}]"u8));
    }

    private static RecordedBoot Boot(string client) => new(Fqrn.Parse(Minios),
        [.. FixtureRepository.BootRequests(1)
            .Select(url => FixtureRepository.TryParseObjectPath(url.AsSpan()[$"/cvmfs/{Minios}/".Length..], out ObjectKey key)
                ? key : (ObjectKey?)null)
            .OfType<ObjectKey>().Select((key, i) => new BootRead(key, TimeSpan.FromMilliseconds(i)))])
    {
        Client = IPAddress.Parse(client),
    };
}
