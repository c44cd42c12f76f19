using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Documents;

public class KeysWatchTests
{
    [Fact]
    public void Look_KeyAddedReplacedAndGone_TakesWhatKeepsVerifying()
    {
        using TemporaryDirectory directory = new();
        RepositoryTrust trust = new(MasterKeys.Load(directory.Path));
        using KeysWatch watch =
            new(trust, new TrustOptions { KeysDirectory = directory.Path }, TimeProvider.System, NullLogger<KeysWatch>.Instance);
        string key = directory.Combine("minios.example.org.pub");
        watch.Look();
        Assert.False(trust.Verifies(Fqrn.Parse("minios.example.org")));

        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, key);
        watch.Look();
        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        File.WriteAllText(key, "not a key");
        watch.Look();
        Assert.Empty(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, directory.Combine("example.org.pub"));
        File.Delete(key);
        watch.Look();
        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        File.Delete(directory.Combine("example.org.pub"));
        watch.Look();
        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);
    }

    [Fact]
    public void Look_LinkThatStaysWhileItsFolderIsExchanged_TakesTheNewKey()
    {
        using TemporaryDirectory directory = new();
        Directory.CreateDirectory(directory.Combine("..1"));
        Directory.CreateDirectory(directory.Combine("..2"));
        File.WriteAllText(directory.Combine("..1", "minios.example.org.pub"), "not a key");
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, directory.Combine("..2", "minios.example.org.pub"));
        Directory.CreateSymbolicLink(directory.Combine("..data"), "..1");
        File.CreateSymbolicLink(directory.Combine("minios.example.org.pub"), "..data/minios.example.org.pub");
        RepositoryTrust trust = new(MasterKeys.Load(directory.Path));
        using KeysWatch watch =
            new(trust, new TrustOptions { KeysDirectory = directory.Path }, TimeProvider.System, NullLogger<KeysWatch>.Instance);
        watch.Look();
        Assert.Empty(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        Directory.Delete(directory.Combine("..data"));
        Directory.CreateSymbolicLink(directory.Combine("..data"), "..2");
        watch.Look();

        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);
    }
}
