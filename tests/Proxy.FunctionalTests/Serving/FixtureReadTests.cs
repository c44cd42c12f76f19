using Breakwater.CacheStore;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Serving;

/// <summary>Real repositories, read whole through the real proxy.</summary>
public sealed class FixtureReadTests
{
    [Theory]
    [InlineData("tiny.example.org")]
    [InlineData("rmd.example.org")]
    [InlineData("shake.example.org")]
    [InlineData("nocomp.example.org")]
    [InlineData("minios.example.org")]
    public async Task Repository_EveryFileInBothForms_EqualsTheTreeAndIsFetchedOnce(string fqrn)
    {
        FixtureRepository repository = FixtureRepository.Load(fqrn);
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(repository);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        using RawHttpClient client = await proxy.ConnectAsync();
        foreach ((string file, byte[] expected) in repository.Files)
        {
            foreach (string target in (string[])["http://s1.example.org" + repository.UrlPath(file), repository.UrlPath(file)])
            {
                RawResponse response = await client.GetAsync(target);
                Assert.True(response.Status == 200, $"{response.Status} for {target}");
                Assert.True(expected.AsSpan().SequenceEqual(response.Body), $"other bytes for {target}");
                Assert.Equal(expected.Length, response.Head.ContentLength);
            }
        }

        Assert.Equal(repository.Objects.Count, upstream.ObjectRequestCount);
        Assert.All(upstream.Requests.CountBy(r => r.Path), path => Assert.Equal(1, path.Value));
    }

    [Fact]
    public async Task Object_OfTwoRepositories_IsFetchedOnce()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        FixtureRepository nocomp = FixtureRepository.Nocomp;
        ObjectKey shared = tiny.Objects.Keys.Intersect(nocomp.Objects.Keys).First();
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(tiny, nocomp);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        RawResponse first = await proxy.GetAsync("http://s1.example.org" + tiny.UrlPath(shared));
        RawResponse second = await proxy.GetAsync("http://s2.example.org" + nocomp.UrlPath(shared));
        Assert.Equal(tiny.Objects[shared], first.Body);
        Assert.Equal(first.Body, second.Body);
        Assert.Equal((1, 0), (upstream.RequestCount(tiny.UrlPath(shared)), upstream.RequestCount(nocomp.UrlPath(shared))));
    }

    [Fact]
    public async Task Object_OfARepositoryThatIsNotAllowed_IsRefusedThoughTheStoreHasIt()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        ObjectKey key = tiny.LargestObject;
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(tiny);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        Assert.Equal(200, (await proxy.GetAsync(tiny.UrlPath(key))).Status);
        Assert.Equal(403, (await proxy.GetAsync("http://s1.example.org/cvmfs/private.example.com/" + key.ToPath())).Status);
    }

    [Theory]
    [InlineData("http://s1cern-cvmfs.openhtc.io")]
    [InlineData("http://hepvm.cern.ch")]
    [InlineData("http://s1.unlisted.example.net:8000")]
    public async Task StockMicroCernVm_UnlistedHost_IsServedByTheConfiguredStratum1(string server)
    {
        FixtureRepository repository = FixtureRepository.MiniOs;
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(repository);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        RawResponse manifest = await proxy.GetAsync(server + repository.UrlPath(".cvmfspublished"));
        RawResponse catalog = await proxy.GetAsync(server + FixtureRepository.BootRequests(1)[4]);
        Assert.Equal((200, 200), (manifest.Status, catalog.Status));
        Assert.Equal(repository.Files[".cvmfspublished"], manifest.Body);
        Assert.All(upstream.Requests, r => Assert.Equal(upstream.EndPoint.ToString(), r.Header("Host")));
    }

    [Fact]
    public async Task Restart_EverythingRead_IsServedWithoutTheStratum1()
    {
        FixtureRepository repository = FixtureRepository.Tiny;
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(repository);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        await ReadAllAsync();
        await proxy.RestartAsync();
        upstream.Everything = UpstreamBehaviour.WithStatus(503);
        await ReadAllAsync();
        Assert.Equal(repository.Objects.Count, upstream.ObjectRequestCount);

        async Task ReadAllAsync()
        {
            using RawHttpClient client = await proxy.ConnectAsync();
            foreach ((string file, byte[] expected) in repository.Files)
            {
                RawResponse response = await client.GetAsync("http://s1.example.org" + repository.UrlPath(file));
                Assert.True(response.Status == 200 && expected.AsSpan().SequenceEqual(response.Body), $"{response.Status} for {file}");
            }
        }
    }
}
