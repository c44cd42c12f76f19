using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>Files of CernVM-FS clients, as configuration packages have them.</summary>
public sealed class ClientConfigurationTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Read_TheConfigRepositorysForm_HasTheBranchThatAClientTakes()
    {
        Write("common.conf", """
            if [ -z "$CVMFS_USE_CDN" ]; then
              if [ "$CVMFS_HTTP_PROXY" = "DIRECT" ] || [ "$CVMFS_HTTP_PROXY" = "auto;DIRECT" ]; then
                # the CDN
                CVMFS_USE_CDN=yes
              fi
            fi
            """);
        Write("domain.d/example.org.conf", """
            CVMFS_USE_CDN="$CVMFS_USE_CDN"
            . ../common.conf

            if [ "$CVMFS_USE_CDN" = "yes" ]; then
                CVMFS_SERVER_URL="http://cdn.example.org/cvmfs/@fqrn@"
            else
                CVMFS_SERVER_URL="http://a.example.org:8000/cvmfs/@fqrn@;http://b.example.org/cvmfs/@fqrn@"
            fi
            CVMFS_KEYS_DIR=$CVMFS_MOUNT_DIR/$CVMFS_CONFIG_REPOSITORY/etc/cvmfs/keys/example.org
            """);

        Assert.Equal(["*.example.org: http://a.example.org:8000/ http://b.example.org/"], Read());

        Write("default.local", "CVMFS_HTTP_PROXY=DIRECT\n");
        Assert.Equal(["*.example.org: http://cdn.example.org/"], Read());
    }

    [Fact]
    public void Read_LocalFile_WinsOverThePackages()
    {
        Write("domain.d/example.org.conf", "CVMFS_SERVER_URL=http://a.example.org/cvmfs/@fqrn@");
        Write("domain.d/example.org.local", "CVMFS_SERVER_URL=\"http://mine/cvmfs/@fqrn@;$CVMFS_SERVER_URL\"");

        Assert.Equal(["*.example.org: http://mine/ http://a.example.org/"], Read());
    }

    [Fact]
    public void Read_RepositoryOfItsOwn_IsBesideItsDomain()
    {
        Write("domain.d/example.org.conf", "CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@");
        Write("config.d/same.example.org.conf", "CVMFS_HTTP_PROXY=x");
        Write("config.d/other.example.org.conf", "CVMFS_SERVER_URL='http://b/cvmfs/other.example.org'");

        Assert.Equal(["*.example.org: http://a/", "other.example.org: http://b/"], Read());
    }

    [Fact]
    public void Read_OneListForAll_IsForTheRepositoriesThatAreNamed()
    {
        Write("default.local", "CVMFS_REPOSITORIES=atlas,x.example.org\nCVMFS_SERVER_URL=http://s1/cvmfs/@fqrn@\n");

        Assert.Equal(["atlas.cern.ch: http://s1/", "x.example.org: http://s1/"], Read());
    }

    [Theory]
    [InlineData("CVMFS_SERVER_URL=http://a/opt/@org@")]
    [InlineData("CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@/more")]
    [InlineData("CVMFS_SERVER_URL=ftp://a/cvmfs/@fqrn@")]
    [InlineData("CVMFS_SERVER_URL=http://user:secret@a/cvmfs/@fqrn@")]
    [InlineData("CVMFS_SERVER_URL=$(curl http://a)")]
    [InlineData("CVMFS_SERVER_URL=")]
    [InlineData("if [ x = y ]; then\nCVMFS_SERVER_URL=http://a/cvmfs/@fqrn@\nfi")]
    [InlineData("for s in a b; do\nCVMFS_SERVER_URL=http://$s/cvmfs/@fqrn@\ndone")]
    [InlineData(". example.org.conf")]
    [InlineData("if fi else then elif [ \" ' \\")]
    public void Read_WhatIsNoStratum1OfOurs_IsLeftOut(string text)
    {
        Write("domain.d/example.org.conf", text);
        Write("domain.d/README", "CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@");
        Write("domain.d/nodot.conf", "CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@");

        Assert.Empty(Read());
    }

    [Theory]
    [InlineData("http://a/cvmfs/@fqrn@ , http://b/cvmfs/@fqrn@/;;http://A/cvmfs/@fqrn@|https://c:1/m/cvmfs/@fqrn@",
        "http://a/ http://b/ https://c:1/m/")]
    [InlineData("http://a/cvmfs/*.example.org", "http://a/")]
    [InlineData("http://a/CVMFS/@fqrn@;http://b/cvmfs/@fqrn@", "http://b/")]
    [InlineData("http://user@a/cvmfs/@fqrn@;http://b/cvmfs/@fqrn@", "http://b/")]
    [InlineData("/cvmfs/@fqrn@;http://b/cvmfs/@fqrn@", "http://b/")]
    public void Read_AListOfServers_HasTheRootsThatCanBeAsked(string list, string roots)
    {
        Write("domain.d/example.org.conf", $"CVMFS_SERVER_URL=\"{list}\"");

        Assert.Equal([$"*.example.org: {roots}"], Read());
    }

    [Fact]
    public void Read_Defaults_AreReadInTheirOrderAndNameTheirDomain()
    {
        Write("default.conf", "A=1\nCVMFS_DEFAULT_DOMAIN=first.org");
        Write("default.d/20-b.conf", "B=$A$C\nCVMFS_DEFAULT_DOMAIN=example.net");
        Write("default.d/10-a.conf", "C=2");
        Write("default.d/30-c.txt", "B=no");
        Write("default.local", "CVMFS_REPOSITORIES=\"a, b.example.org -x..y ,\"\nCVMFS_SERVER_URL=http://s$B/cvmfs/@fqrn@");

        Assert.Equal(["a.example.net: http://s12/", "b.example.org: http://s12/"], Read());
    }

    [Fact]
    public void Read_LocalFileAlone_IsItsDomainsAndADomainsLocalFileIsBelowTheRepositorys()
    {
        Write("domain.d/example.org.local", "CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@");
        Write("config.d/x.example.org.local", "CVMFS_SERVER_URL=\"$CVMFS_SERVER_URL;http://b/cvmfs/@fqrn@\"");
        Write("config.d/x.example.org.conf", "CVMFS_SERVER_URL=\"http://c/cvmfs/@fqrn@;$CVMFS_SERVER_URL\"");

        Assert.Equal(["*.example.org: http://a/", "x.example.org: http://c/ http://a/ http://b/"], Read());
        Assert.Equal([_directory.Combine("domain.d", "example.org.conf"), _directory.Combine("config.d", "x.example.org.conf")],
            ClientConfiguration.Read(_directory.Path).Select(one => one.File));
        Assert.Equal(
            new[] { "default.conf", "default.local", "domain.d/example.org.local", "config.d/x.example.org.conf",
                "config.d/x.example.org.local" }.Select(name => _directory.Combine(name)),
            ClientConfiguration.Files(_directory.Path));
    }

    [Theory]
    [InlineData("a.b", true)]
    [InlineData("a-b_c.d.9", true)]
    [InlineData("nodot", false)]
    [InlineData(".a", false)]
    [InlineData("a..b", false)]
    [InlineData("a b.c", false)]
    [InlineData("a+b.c", false)]
    public void Read_NamesOfFiles_AreThoseOfDomains(string name, bool isDomain)
    {
        Write($"domain.d/{name}.conf", "CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@");

        Assert.Equal(isDomain ? [$"*.{name}: http://a/"] : [], Read());
    }

    [Fact]
    public void Read_NoDirectory_HasNone() => Assert.Empty(ClientConfiguration.Read(_directory.Combine("nowhere")));

    private void Write(string name, string text)
    {
        string path = _directory.Combine(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private string[] Read() =>
        [.. ClientConfiguration.Read(_directory.Path).Select(one => $"{one.Pattern}: {string.Join(' ', one.Stratum1s)}")];
}
